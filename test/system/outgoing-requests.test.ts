import t, { type Test } from 'tap';
import { startHttpProxy } from '../support/http-proxy.ts';
import { startLoopbackServer } from '../support/loopback-server.ts';
import { startService } from '../support/service.ts';
import { startSignalWire } from '../support/signalwire.ts';
import { until } from '../support/until.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT_ID = '00f067aa0ba902b7';
const TRACE = { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01`, tracestate: 'rojo=1' };
/** What each provider's API answers to a message or call that it accepts. */
const ACCEPTED = { status: 201, body: { sid: 'SM1', message_uuid: ['plivo-1'], request_uuid: 'plivo-2' } };
const FAILED = { status: 500, body: {} };

/** The built program with every sender and a user service. All of them are servers on loopback that keep what they get. */
async function startAll(t: Test, env: Record<string, string> = {}) {
  const api = await startSignalWire();
  t.teardown(() => api.close());
  const webhook = await startLoopbackServer(t);
  const users = await startLoopbackServer(t, (_visit, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ username: 'alice', phone: '+15550100101' }));
  });
  const number = '+15550100199';
  const service = await startService(t, {
    NODE_EXTRA_CA_CERTS: api.caFile,
    RESEND_COOLDOWN: '0',
    USERS_URL: users.url,
    ...{ SIGNALWIRE_SPACE: api.host, SIGNALWIRE_PROJECT: 'project', SIGNALWIRE_TOKEN: 'token-of-signalwire' },
    ...{ TWILIO_HOST: api.host, TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`, TWILIO_AUTH_TOKEN: 'token-of-twilio' },
    ...{ PLIVO_HOST: api.host, PLIVO_AUTH_ID: 'MADEMO', PLIVO_AUTH_TOKEN: 'token-of-plivo' },
    ...{ SIGNALWIRE_NUMBER: number, TWILIO_NUMBER: number, PLIVO_NUMBER: number },
    ...{ WEBHOOK_URL: webhook.url, WEBHOOK_SECRET: 'a secret of the tests' },
    ...env,
  });
  const login = (channel: 'sms' | 'voice', headers: Record<string, string> = {}) =>
    fetch(`${service.url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ username: 'alice', password: 'a-password-of-the-tests', channel }),
    });
  return { api, webhook, users, service, login };
}

/** The built program with a proxy for everything. Its destinations are on loopback, and not in NO_PROXY. */
async function startProxied(t: Test, env: Record<string, string> = {}, collectorStatus = 200) {
  const collector = await startLoopbackServer(t, (_visit, response) => {
    response.writeHead(collectorStatus, { 'content-type': 'application/json' }).end('{}');
  });
  const proxy = await startHttpProxy(t);
  const url = proxy.url.replace('//', '//anna:proxy-password@');
  const started = await startAll(t, {
    ...{ HTTPS_PROXY: url, http_proxy: url, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    ...env,
  });
  return { ...started, collector, proxy };
}

/** The JSON lines that the program wrote. */
function logLines(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

for (const collected of [false, true]) {
  t.test(
    `every outgoing request has the trace of its request, ${collected ? 'with' : 'without'} a collector`,
    async (t) => {
      const collector = await startLoopbackServer(t, (_visit, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
      const { api, webhook, users, service, login } = await startAll(
        t,
        collected ? { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } : {},
      );
      for (const channel of ['sms', 'voice'] as const) {
        // The first three fail, so that one request reaches all four senders.
        api.behave(FAILED, FAILED, FAILED);
        t.equal((await login(channel, TRACE)).status, 200);
      }
      // Without a trace none is made up, except as a part of a span.
      api.behave(ACCEPTED);
      t.equal((await login('sms')).status, 200);
      await service.stop('SIGINT');

      const outgoing = [...users.visits.slice(0, 2), ...api.requests.slice(0, 6), ...webhook.visits];
      t.strictSame(
        outgoing.map(({ path }) => path.replace('.json', '').replace(/\/$/, '').replace(/.*\//, '')),
        ['', '', 'Messages', 'Messages', 'Message', 'Calls', 'Calls', 'Call', '', ''],
      );
      const spans = new Set<string>();
      for (const { path, headers } of outgoing) {
        const [, traceId, spanId = ''] = String(headers['traceparent']).split('-');
        t.equal(traceId, TRACE_ID, path);
        t.equal(headers['tracestate'], TRACE.tracestate, path);
        spans.add(spanId);
      }
      if (collected) t.equal(spans.size, outgoing.length, 'each names a span of its own');
      else t.strictSame([...spans], [PARENT_ID]);
      const last = [users.visits.at(-1), api.requests.at(-1)];
      for (const request of last) t.equal('traceparent' in (request?.headers ?? {}), collected);

      const lines = logLines(service.output());
      const requests = lines.filter(({ msg }) => msg === 'request').map(({ reqId }) => reqId);
      const sends = lines.filter(({ msg }) => msg === 'message accepted' || msg === 'message not accepted');
      const senders = ['signalwire', 'twilio', 'plivo', 'webhook'];
      t.strictSame(
        sends.map(({ sender, reqId, traceId }) => [sender, requests.indexOf(reqId), traceId === TRACE_ID]),
        [
          ...senders.map((name) => [name, 0, true]),
          ...senders.map((name) => [name, 1, true]),
          ['signalwire', 2, false],
        ],
      );
      if (!collected) return;
      const told = collector.visits.map(({ body }) => body).join('\n');
      for (const spanId of spans) t.match(told, `"spanId":"${spanId}"`);
    },
  );
}

t.test('every outgoing request goes through the proxy', async (t) => {
  const { api, webhook, users, collector, proxy, service, login } = await startProxied(t);
  api.behave(FAILED, FAILED, FAILED);
  t.equal((await login('sms')).status, 200);
  t.equal((await login('voice')).status, 200, 'a kept tunnel');
  const { output, stop } = service;
  await stop('SIGINT');
  t.strictSame(proxy.tunnels, [api.host, api.host, api.host], 'SignalWire, Twilio, Plivo');
  t.equal(api.connections, 3);
  t.strictSame([users.visits.length, webhook.visits.length, api.requests.length], [2, 1, 4]);
  const traces = `${collector.url}/v1/traces`;
  const others = proxy.forwarded.filter((url) => url !== traces);
  t.strictSame(others, [`${users.url}/`, `${webhook.url}/`, `${users.url}/`]);
  // Spans are exported when the service stops, and earlier if the test takes long.
  t.ok(collector.visits.length > 0);
  t.equal(proxy.forwarded.length - others.length, collector.visits.length);
  const expected = `Basic ${Buffer.from('anna:proxy-password').toString('base64')}`;
  t.ok(proxy.credentials.every((credentials) => credentials === expected));
  t.match(output(), `through the proxy ${new URL(proxy.url).host}, except`);
  t.match(output(), 'HTTPS_PROXY: requests to 127.0.0.1 (TWILIO_HOST) go through the proxy');
  t.notMatch(output(), /proxy-password|anna/);
});

t.test('NO_PROXY from the .env file exempts destinations', async (t) => {
  t.testdir({ '.env': 'NO_PROXY=localhost,127.0.0.0/8\n' });
  const { api, webhook, users, collector, proxy, service, login } = await startProxied(t);
  api.behave(FAILED, FAILED, FAILED);
  t.equal((await login('sms')).status, 200);
  await service.stop('SIGINT');
  t.strictSame([proxy.tunnels, proxy.forwarded], [[], []]);
  const visits = [users.visits, webhook.visits, api.requests];
  t.strictSame(
    visits.map(({ length }) => length),
    [1, 1, 3],
  );
  t.ok(collector.visits.length > 0);
});

t.test('a proxy that refuses: each sender fails for a clear reason, and the next one is tried', async (t) => {
  const { api, webhook, collector, proxy, service, login } = await startProxied(t, { http_proxy: '' }, 404);
  for (const status of [407, 502]) {
    proxy.behave(status);
    t.equal((await login('sms')).status, 200, 'by the webhook, which needs no proxy');
  }
  const failed = () => logLines(service.output()).filter(({ msg }) => msg === 'message not accepted');
  await until('the log lines of all failures', () => failed().length === 6);
  const failures = failed();
  t.strictSame(
    failures.map(({ sender, reason, detail }) => [sender, reason, detail]),
    [407, 502].flatMap((status) =>
      ['signalwire', 'twilio', 'plivo'].map((sender) => [sender, 'proxy', `http_${status}`]),
    ),
  );
  t.strictSame([proxy.tunnels.length, api.requests.length, webhook.visits.length], [6, 0, 2]);
  await service.stop('SIGINT');
  const [refused] = logLines(service.output()).filter(({ msg }) => msg === 'collector does not accept traces');
  t.match(refused, { endpoint: new URL(collector.url).host, reason: 'http_404' });
});
