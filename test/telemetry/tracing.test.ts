import { mock } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { createDelivery } from '../../src/delivery/failover.ts';
import { DeliveryError, type Message } from '../../src/delivery/sender.ts';
import { silentLog } from '../../src/log.ts';
import { tracedDirectory } from '../../src/telemetry/traced-directory.ts';
import { startTracing } from '../../src/telemetry/tracing.ts';
import type { Trace } from '../../src/trace.ts';
import { ALICE, PASSWORD, testApp } from '../support/build-app.ts';
import { optionsFor } from '../support/collector.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { keep } from '../support/kept.ts';
import { startLoopbackServer } from '../support/loopback-server.ts';

interface ToldSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly events: unknown[];
  readonly status: object;
}

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT_ID = '00f067aa0ba902b7';
const traceparent = `00-${TRACE_ID}-${PARENT_ID}-01`;

t.test('a collector is told of requests and of what was asked elsewhere, and of nothing secret', async (t) => {
  const { url: endpoint, visits } = await startLoopbackServer(t, (_visit, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const tracing = startTracing({ ...optionsFor(endpoint), version: '1.2.3' });
  const handed: Message[] = [];
  const clock = fakeClock();
  const senders = ['first', 'second'].map((name, index) => ({
    name,
    channels: ['sms'] as const,
    async send(message: Message) {
      handed.push(message);
      if (index === 0) throw new DeliveryError('temporary', 'http_500', `quoting ${message.code}`);
      return { sender: name };
    },
  }));
  const { startSpan, registerTracing } = tracing;
  const asked: unknown[] = [];
  const users = {
    async authenticate(_username: string, password: string, trace: unknown) {
      asked.push(trace);
      if (password !== PASSWORD) throw new Error(`no such password: ${password}`);
      return ALICE;
    },
  };
  const { app, post, get } = await testApp({
    clock,
    ports: {
      registerTracing,
      directory: tracedDirectory(users, startSpan),
      delivery: createDelivery({ senders, clock, log: silentLog, startSpan }),
    },
  });
  const headers = { traceparent, tracestate: 'rojo=1' };
  await post('/login?secret=query', { username: 'alice', password: PASSWORD }, undefined, headers);
  await post('/login', { username: 'alice', password: 'mistyped-password' });
  await get(`/login?next=${encodeURIComponent('/private?token=zebra')}`);
  await get('/nowhere/482915');
  await app.close();
  await tracing.close();

  const bodies = visits.map(({ body }) => body);
  const text = bodies.join('\n');
  keep('trace', text);
  t.match(visits[0], { method: 'POST', path: '/v1/traces' });
  const secrets = [
    'query',
    PASSWORD,
    'mistyped',
    'zebra',
    '482915',
    'alice',
    ALICE.phone.slice(1),
    handed[0]?.code ?? '',
  ];
  for (const secret of secrets) t.notOk(text.includes(secret), secret);

  const spans = bodies.flatMap((body) =>
    (JSON.parse(body).resourceSpans as { scopeSpans: { spans: ToldSpan[] }[] }[]).flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap((scope) => scope.spans),
    ),
  );
  const traced = spans.filter(({ traceId }) => traceId === TRACE_ID);
  const request = traced.find(({ name }) => name === 'POST /login');
  t.equal(request?.parentSpanId, PARENT_ID, 'below the one that the request came with');
  const steps = traced.filter((span) => span !== request);
  t.strictSame(
    steps.map(({ name, attributes }) => [name, ...attributes.map(({ value }) => value['stringValue'])]),
    [['directory'], ['send', 'first', 'sms', 'http_500'], ['send', 'second', 'sms']],
  );
  t.ok(steps.every(({ parentSpanId }) => parentSpanId === request?.spanId));
  t.strictSame(
    handed.map(({ trace }) => trace?.traceparent),
    steps.slice(1).map(({ spanId }) => `00-${TRACE_ID}-${spanId}-01`),
    'what goes to a sender names the step',
  );
  t.match(asked[0], { tracestate: 'rojo=1', traceparent: `00-${TRACE_ID}-${steps[0]?.spanId}-01` });
  t.ok(spans.every(({ events, status }) => events.length === 0 && !('message' in status)));
  t.strictSame([...new Set(spans.map(({ name }) => name))].toSorted(), [
    'GET',
    'GET /login',
    'POST /login',
    'directory',
    'send',
  ]);
});

t.test("what the service is called is for OpenTelemetry's own variables to say", async (t) => {
  const { url: endpoint, visits } = await startLoopbackServer(t, (_visit, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const { OTEL_SERVICE_NAME: _name, OTEL_RESOURCE_ATTRIBUTES: _attributes, ...without } = process.env;
  const attributesWith = async (env: Record<string, string>) => {
    const restore = t.intercept(process, 'env', { value: { ...without, ...env } }).restore;
    const tracing = startTracing({ ...optionsFor(endpoint), version: '1.2.3' });
    restore();
    tracing.startSpan('send', undefined).end();
    await tracing.close();
    const { attributes } = JSON.parse(visits.at(-1)?.body ?? '').resourceSpans[0].resource;
    return Object.fromEntries(
      attributes.map(({ key, value }: ToldSpan['attributes'][number]) => [key, value['stringValue']]),
    );
  };
  t.strictSame(await attributesWith({}), { 'service.name': 'doorcode', 'service.version': '1.2.3' });
  t.strictSame(
    await attributesWith({
      OTEL_SERVICE_NAME: 'login',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment.name=staging',
    }),
    { 'service.name': 'login', 'service.version': '1.2.3', 'deployment.environment.name': 'staging' },
  );
});

t.test('the state of a trace that there is not is not passed on', async (t) => {
  const tracing = startTracing({ ...optionsFor('http://127.0.0.1:9'), version: '' });
  const asked: (Trace | undefined)[] = [];
  const { app, post } = await testApp({
    ports: {
      registerTracing: tracing.registerTracing,
      directory: {
        async authenticate(_username, _password, trace) {
          asked.push(trace);
          return null;
        },
      },
    },
  });
  const body = { username: 'alice', password: 'wrong-password' };
  const tracestate = 'rojo=1';
  for (const headers of [
    { tracestate },
    { tracestate, traceparent: 'nonsense' },
    { tracestate, traceparent: traceparent.toUpperCase() },
    { tracestate, traceparent: `${traceparent}, ${traceparent}` },
    { tracestate, traceparent },
  ]) {
    await post('/login', body, undefined, headers);
  }
  await app.close();
  await tracing.close();
  t.strictSame(
    asked.map((trace) => trace?.tracestate),
    [undefined, undefined, undefined, undefined, tracestate],
  );
  for (const trace of asked) t.match(trace?.traceparent, /^00-[\da-f]{32}-[\da-f]{16}-01$/);
  t.match(asked.at(-1)?.traceparent, TRACE_ID);
});

t.test('a shutdown waits one second for a collector that does not answer, and no longer', async (t) => {
  const { url: endpoint, visits } = await startLoopbackServer(t, () => {});
  const tracing = startTracing({ ...optionsFor(endpoint), version: '' });
  tracing.startSpan('send', undefined).end();
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  let isClosed = false;
  void tracing.close().then(() => {
    isClosed = true;
  });
  mock.timers.tick(999);
  while (visits.length === 0) await setImmediate();
  t.notOk(isClosed, 'before the second is over');
  mock.timers.tick(1);
  await setImmediate();
  t.ok(isClosed, 'after it');
});

t.test('health checks make no spans', async (t) => {
  const { url: endpoint, visits } = await startLoopbackServer(t, (_visit, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const { registerTracing, close } = startTracing({ ...optionsFor(endpoint), version: '1.2.3' });
  const { app } = await testApp({ ports: { registerTracing } });
  for (const method of ['GET', 'HEAD', 'POST'] as const) {
    for (const url of ['/healthz', '/readyz', '/readyz?exclude=limits']) await app.inject({ method, url });
  }
  await app.inject('/session');
  await app.close();
  await close();
  const text = visits.map(({ body }) => body).join('\n');
  keep('trace', text);
  t.match(text, '/session');
  t.notMatch(text, /healthz|readyz/);
});
