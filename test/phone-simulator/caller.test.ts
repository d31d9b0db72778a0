import t from 'tap';
import { createCaller } from '../../src/phone-simulator/caller.ts';
import { startLoopbackServer } from '../support/loopback-server.ts';

const fields = { MessageSid: 'one', To: '+15550100100' };

t.test('POST is a form, and GET is as it stands', async (t) => {
  const { url, visits } = await startLoopbackServer(t, (_visit, response) => void response.end('hello'));
  const caller = createCaller();
  const headers = { 'x-twilio-signature': 'signed' };
  t.strictSame(await caller.call({ url: `${url}/a`, method: 'POST', fields, headers }), { status: 200, text: 'hello' });
  await caller.call({ url: `${url}/b?x=1`, method: 'GET', fields, headers });
  t.match(visits, [
    {
      method: 'POST',
      path: '/a',
      body: 'MessageSid=one&To=%2B15550100100',
      headers: { ...headers, 'content-type': /^application\/x-www-form-urlencoded/ },
    },
    { method: 'GET', path: '/b?x=1', body: '', headers },
  ]);
  t.strictSame(caller.made, [
    { url: `${url}/a`, fields, status: 200 },
    { url: `${url}/b`, fields, status: 200 },
  ]);
});

t.test('a redirect is not followed', async (t) => {
  const { url, visits } = await startLoopbackServer(t, (_visit, response) => {
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  t.match(await createCaller().call({ url, method: 'POST', fields, headers: {} }), { status: 302 });
  t.equal(visits.length, 1);
});

t.test('a failure is remembered, and no more', async (t) => {
  const { url } = await startLoopbackServer(t, (_visit, response) => void response.destroy());
  const caller = createCaller();
  t.equal(await caller.call({ url, method: 'POST', fields, headers: {} }), null);
  t.match(caller.made, [{ status: null }]);
});

t.test('another machine is not called', async (t) => {
  const caller = createCaller();
  t.equal(await caller.call({ url: 'https://login.example.com/x', method: 'POST', fields, headers: {} }), null);
  t.strictSame(caller.made, [{ url: 'https://login.example.com/x', fields, status: null }]);
});

t.test('close gives up what is under way', async (t) => {
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const { url } = await startLoopbackServer(t, () => arrive());
  const caller = createCaller();
  const call = caller.call({ url, method: 'POST', fields, headers: {} });
  await arrived;
  caller.close();
  t.equal(await call, null);
});
