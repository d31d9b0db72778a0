import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { createInbox } from '../../src/phone-simulator/inbox.ts';
import { createPageServer } from '../../src/phone-simulator/page-server.ts';

async function setup(t: Test) {
  const inbox = createInbox();
  const server = createServer(createPageServer(inbox, '127.0.0.1:8443')).listen(0, '127.0.0.1');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = async (path: string, method = 'GET', host = `127.0.0.1:${port}`) => {
    const sent = request({ port, host: '127.0.0.1', path, method, headers: { host } }).end();
    const [response] = await once(sent, 'response');
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };
  inbox.add({
    provider: 'twilio',
    channel: 'sms',
    id: 'SM1',
    to: '+15550100100',
    from: '+15550100199',
    text: 'Hi',
    at: 1,
  });
  return { inbox, ask };
}

t.test('the page, its assets and the list', async (t) => {
  const { ask } = await setup(t);
  for (const [path, type, content] of [
    ['/', 'text/html; charset=utf-8', 'Hi'],
    ['/?a=1', 'text/html; charset=utf-8', 'Hi'],
    ['/assets/phone.css', 'text/css; charset=utf-8', '.bubble'],
    ['/assets/phone.js', 'text/javascript; charset=utf-8', 'fetch'],
    ['/assets/phone.svg', 'image/svg+xml', '<svg'],
  ] as const) {
    const { status, headers, body } = await ask(path);
    t.equal(status, 200, path);
    t.equal(headers['content-type'], type);
    t.match(headers['content-security-policy'], "default-src 'none'; script-src 'self'");
    t.notMatch(headers['content-security-policy'], 'unsafe');
    t.match(body, content);
    const head = await ask(path, 'HEAD');
    t.match(head, { status: 200, body: '' });
  }
  const { body } = await ask('/messages');
  t.match(JSON.parse(body), [{ sequence: 1, id: 'SM1', text: 'Hi' }]);
});

t.test('the list can be emptied', async (t) => {
  const { ask, inbox } = await setup(t);
  t.equal((await ask('/messages', 'DELETE')).status, 200);
  t.strictSame(inbox.messages, []);
  t.equal((await ask('/messages')).body, '[]');
});

t.test('there is nothing else', async (t) => {
  const { ask } = await setup(t);
  for (const [path, method] of [
    ['/nothing', 'GET'],
    ['/assets/', 'GET'],
    ['/assets/../phone.ts', 'GET'],
    ['/', 'POST'],
    ['/', 'DELETE'],
    ['/messages', 'PUT'],
  ] as const) {
    t.equal((await ask(path, method)).status, 404, `${method} ${path}`);
  }
});

t.test('a foreign name that leads here reads nothing', async (t) => {
  const { ask, inbox } = await setup(t);
  for (const host of ['example.com', 'example.com:8025', 'localhost.example.com', '.']) {
    for (const path of ['/', '/messages', '/assets/phone.js']) {
      const { status, body } = await ask(path, 'GET', host);
      t.equal(status, 421, host);
      t.notMatch(body, 'Hi');
    }
    t.equal((await ask('/messages', 'DELETE', host)).status, 421);
  }
  t.equal(inbox.messages.length, 1);
  for (const host of ['localhost', 'localhost:8025', '[::1]:8025']) t.equal((await ask('/', 'GET', host)).status, 200);
});
