import { createServer, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { ExportResultCode } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import t, { type Test } from 'tap';
import type { Log } from '../../src/log.ts';
import { createOtlpExporter } from '../../src/telemetry/otlp-exporter.ts';
import { optionsFor } from '../support/collector.ts';
import { startHttpProxy } from '../support/http-proxy.ts';
import { startLoopbackServer } from '../support/loopback-server.ts';
import { startSignalWire } from '../support/signalwire.ts';

function recordingLog() {
  const lines: [level: string, fields: object, message: string][] = [];
  const note = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message]);
  return { lines, log: { info: note('info'), warn: note('warn'), error: note('error') } satisfies Log };
}

/** One finished span. */
function spans() {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
  provider.getTracer('test').startSpan('send').end();
  return memory.getFinishedSpans();
}

function open(t: Test, options: Parameters<typeof createOtlpExporter>[0]) {
  const exporter = createOtlpExporter(options);
  t.teardown(() => exporter.shutdown());
  return () =>
    new Promise<string>((resolve) => {
      exporter.export(spans(), ({ code, error }) =>
        resolve(code === ExportResultCode.SUCCESS ? 'success' : (error?.message ?? 'failed')),
      );
    });
}

type Answer = (response: ServerResponse) => void;
const status =
  (code: number, body = '', type = 'application/json'): Answer =>
  (response) =>
    void response.writeHead(code, { 'content-type': type }).end(body);

t.test(
  'each new reason for which a collector does not accept spans is logged once, and that it does again',
  async (t) => {
    let answer: Answer = status(404, 'not here: secret-of-the-answer');
    const { url } = await startLoopbackServer(t, (_visit, response) => answer(response));
    const { lines, log } = recordingLog();
    const env = {
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret-of-the-header',
      OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
    };
    const send = open(t, optionsFor(url, env, log));
    for (const [next, reason] of [
      [answer, 'http_404'],
      [status(401), 'http_401'],
      [status(500), 'http_500'],
      [(response) => void response.writeHead(503, { 'retry-after': '60' }).end(), 'http_503'],
      [status(307), 'http_307'],
      [status(200, '<p>a web page', 'text/html; charset=utf-8'), 'not_a_collector'],
      [status(200, '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}'), 'rejected_spans'],
      [() => {}, 'timeout'],
      [(response) => response.destroy(), 'UND_ERR_SOCKET'],
    ] as [Answer, string][]) {
      answer = next;
      lines.length = 0;
      await send();
      await send();
      t.match(lines, [['warn', { endpoint: new URL(url).host, reason }, 'collector does not accept traces']], reason);
      t.equal(lines.length, 1, reason);
      t.notMatch(JSON.stringify(lines), 'secret');
    }
    for (const good of [status(200, '{}'), status(200), status(202, '{"partialSuccess":{}}')]) {
      answer = good;
      t.equal(await send(), 'success');
    }
    t.match(lines.slice(1), [['info', { endpoint: new URL(url).host }, 'collector accepts traces again']]);
    t.equal(lines.length, 2);
  },
);

t.test('a collector that cannot be reached, or that has a certificate of an unknown authority', async (t) => {
  const server = await startSignalWire();
  t.teardown(() => server.close());
  const quick = { OTEL_EXPORTER_OTLP_TIMEOUT: '500' };
  for (const [url, reason] of [
    ['http://127.0.0.1:1', 'ECONNREFUSED'],
    [`https://${server.host}`, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ] as const) {
    const { lines, log } = recordingLog();
    t.equal(await open(t, optionsFor(url, quick, log))(), reason);
    t.match(lines, [['warn', { reason }, 'collector does not accept traces']]);
  }
});

t.test('what a collector could not take at the moment is sent again', async (t) => {
  let requests = 0;
  const { url, visits } = await startLoopbackServer(t, (_visit, response) => {
    requests += 1;
    if (requests === 1) response.writeHead(503, { 'retry-after': '0' }).end();
    else response.end();
  });
  const { lines, log } = recordingLog();
  t.equal(await open(t, optionsFor(url, {}, log))(), 'success');
  t.equal(visits.length, 2);
  t.strictSame(
    lines.map(([level]) => level),
    ['warn', 'info'],
  );
});

t.test('headers, compression, protobuf, and the certificate of an authority', async (t) => {
  const server = await startSignalWire();
  t.teardown(() => server.close());
  server.usually({ status: 200, body: {} });
  const env = {
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20abc,x-a=1',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-a=2',
    OTEL_EXPORTER_OTLP_CERTIFICATE: server.caFile,
  };
  t.equal(await open(t, optionsFor(`https://${server.host}`, env))(), 'success');
  t.match(server.requests[0], { method: 'POST', path: '/v1/traces' });
  t.match(server.requests[0]?.headers, { authorization: 'Basic abc', 'x-a': '2', 'content-type': 'application/json' });
  t.match(JSON.parse(server.requests[0]?.body ?? ''), {
    resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'send' }] }] }],
  });
  const more = { ...env, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' };
  t.equal(await open(t, optionsFor(`https://${server.host}`, more))(), 'success');
  t.equal(server.requests[1]?.headers['content-type'], 'application/x-protobuf');
});

t.test('with gzip, the body is compressed', async (t) => {
  const bodies: Buffer[] = [];
  const server = createServer(async (request, response) => {
    t.equal(request.headers['content-encoding'], 'gzip');
    bodies.push(await buffer(request));
    response.end();
  }).listen(0, '127.0.0.1');
  t.teardown(() => void server.close().closeAllConnections());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const send = open(t, optionsFor(`http://127.0.0.1:${port}`, { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }));
  t.equal(await send(), 'success');
  t.match(JSON.parse(gunzipSync(bodies[0] ?? Buffer.alloc(0)).toString()), { resourceSpans: [{}] });
});

t.test('through a proxy, and one that refuses', async (t) => {
  const { url, visits } = await startLoopbackServer(t);
  const proxy = await startHttpProxy(t);
  const { lines, log } = recordingLog();
  const proxies = { https: undefined, http: new URL(proxy.url), noProxy: '' };
  const send = open(t, { ...optionsFor(url, { OTEL_EXPORTER_OTLP_TIMEOUT: '500' }, log), proxies });
  t.equal(await send(), 'success');
  t.strictSame([proxy.forwarded, visits.length], [[`${url}/v1/traces`], 1]);
  proxy.behave(407);
  t.equal(await send(), 'proxy_http_407');
  t.match(lines, [['warn', { reason: 'proxy_http_407' }, 'collector does not accept traces']]);
});
