import t, { type Test } from 'tap';
import { type CompatibilitySenderOptions, createCompatibilitySender } from '../../src/delivery/compatibility.ts';
import type { Sdk } from '../../src/delivery/compatibility-sdk.ts';
import { type Behaviour, startSignalWire } from '../support/signalwire.ts';
import {
  code,
  failure,
  leaks,
  message,
  number,
  patient,
  senderContract,
  trace,
  traceHeaders,
} from './sender.contract.ts';

const settings = { name: 'signalwire', account: 'project', token: 'token', from: '+15550100999' } as const;

async function setup(t: Test, usually: Behaviour = 'accept', options: Partial<CompatibilitySenderOptions> = {}) {
  const server = await startSignalWire();
  server.usually(usually);
  const sender = createCompatibilitySender({ ...settings, host: server.host, connect: { ca: server.ca }, ...options });
  t.teardown(async () => {
    await sender.close();
    await server.close();
  });
  return { server, sender };
}

for (const name of ['signalwire', 'twilio'] as const) {
  t.test(`${name} keeps to the contract`, async (t) => {
    const make = (behaviour: Behaviour) => async (t: Test) => (await setup(t, behaviour, { name })).sender;
    await senderContract(t, {
      accepting: make('accept'),
      failing: {
        'wrong credentials': make('unauthorized'),
        'an invalid number': make('invalid_number'),
        'an opted-out number': make('opted_out'),
        'too many requests': make('too_many_requests'),
        'a server error with a page of HTML': make('server_error'),
        'something that is not the API': make('not_the_api'),
        'a connection that is cut': make('reset'),
        'nothing that listens': async (t) => {
          const { server, sender } = await setup(t, 'accept', { name });
          await server.close();
          return sender;
        },
        'an SDK that throws what it was given': async (t) => {
          const load = async () => ({
            RestClient: () => {
              throw new Error(`cannot send ${code} to ${number}`);
            },
          });
          return (await setup(t, 'accept', { name, load: load as unknown as () => Promise<Sdk> })).sender;
        },
      },
    });
  });
}

t.test('the trace is passed on', async (t) => {
  const { server, sender } = await setup(t);
  for (const channel of sender.channels) await sender.send(message({ channel, trace }), patient());
  t.equal(server.requests.length, 2);
  for (const request of server.requests) t.match(request.headers, traceHeaders);
});

t.test('a text message is sent as it is', async (t) => {
  const { server, sender } = await setup(t);
  const { text, to } = message({ text: 'Zoë’s code: 493817 <&>\n@login.example #493817' });
  const receipt = await sender.send(message({ text }), patient());
  t.match(receipt, { sender: 'signalwire', id: /^[0-9a-f-]{36}$/ });
  const [request] = server.requests;
  t.match(request, { method: 'POST', path: '/2010-04-01/Accounts/project/Messages.json' });
  t.strictSame(request?.form, { To: to, From: settings.from, Body: text });
  t.equal(request?.headers.authorization, `Basic ${Buffer.from('project:token').toString('base64')}`);
});

t.test('a call speaks the text in its language, from within the request', async (t) => {
  const { server, sender } = await setup(t);
  for (const [locale, voice] of [
    ['en', 'en-US'],
    ['en-GB', 'en-US'],
    ['es', 'es-ES'],
    ['fr', 'fr-FR'],
    ['de-AT', 'de-DE'],
    ['pt', 'pt-BR'],
    ['zh-Hant-TW', 'zh-CN'],
    ['it', 'en-US'],
    ['constructor', 'en-US'],
  ] as const) {
    await sender.send(message({ channel: 'voice', locale, text: `Tom & <Jerry>: 4, 9` }), patient());
    const { path, form } = server.requests.at(-1) ?? {};
    t.equal(path, '/2010-04-01/Accounts/project/Calls.json');
    t.strictSame(form, {
      To: number,
      From: settings.from,
      Twiml:
        '<?xml version="1.0" encoding="UTF-8"?><Response>' +
        `<Say language="${voice}">Tom &amp; &lt;Jerry&gt;: 4, 9</Say></Response>`,
    });
  }
});

t.test('receipts go where they are asked for, and are not asked for otherwise', async (t) => {
  const receiptUrl = 'https://login.example.com/callbacks/signalwire/status';
  const { server, sender } = await setup(t, 'accept', { receiptUrl });
  for (const channel of ['sms', 'voice'] as const) {
    await sender.send(message({ channel }), patient());
    t.equal(server.requests.at(-1)?.form['StatusCallback'], receiptUrl, channel);
  }
});

t.test('what the provider says decides what happens next', async (t) => {
  const { server, sender } = await setup(t);
  for (const [behaviour, kind, reason] of [
    ['unauthorized', 'temporary', 'credentials'],
    ['invalid_number', 'permanent', 'number'],
    ['opted_out', 'permanent', 'number'],
    ['too_many_requests', 'temporary', 'http_429'],
    ['server_error', 'temporary', 'http_500'],
    ['not_the_api', 'temporary', 'bad_response'],
    ['reset', 'temporary', 'connection'],
  ] as const) {
    server.behave(behaviour);
    t.match(await failure(sender.send(message(), patient())), { kind, reason }, behaviour);
  }
});

t.test('an attempt that hangs ends with its signal', async (t) => {
  const { server, sender } = await setup(t);
  server.behave('hang');
  const controller = new AbortController();
  const sent = failure(sender.send(message(), controller.signal));
  await server.arrived(1);
  controller.abort();
  t.match(await sent, { kind: 'temporary', reason: 'timeout' });
  t.equal((await sender.send(message(), patient())).sender, 'signalwire', 'and the next one is none the worse');
});

t.test('signals of parallel messages do not mix', async (t) => {
  const { server, sender } = await setup(t);
  server.behave('hang', 'hang');
  const controller = new AbortController();
  const aborted = failure(sender.send(message(), controller.signal));
  const patientOne = sender.send(message(), patient());
  await server.arrived(2);
  controller.abort();
  t.match(await aborted, { reason: 'timeout' });
  server.release();
  t.equal((await patientOne).sender, 'signalwire');
});

t.test('variables that the SDK listens to change nothing', async (t) => {
  const variables = {
    TWILIO_ACCOUNT_SID: 'ACother',
    TWILIO_AUTH_TOKEN: 'other',
    TWILIO_EDGE: 'sydney',
    TWILIO_REGION: 'au1',
    TWILIO_LOG_LEVEL: 'debug',
    SIGNALWIRE_SPACE_URL: 'other.example',
    SIGNALWIRE_API_HOSTNAME: 'other.example',
  };
  t.intercept(process, 'env', { value: { ...process.env, ...variables } });
  const printed = t.capture(console, 'log');
  const { server, sender } = await setup(t);
  await sender.send(message(), patient());
  t.equal(server.requests[0]?.path, '/2010-04-01/Accounts/project/Messages.json');
  t.equal(server.requests[0]?.headers.authorization, `Basic ${Buffer.from('project:token').toString('base64')}`);
  t.strictSame(printed(), []);
});

t.test('the SDK loads in the background', async (t) => {
  const { sender } = await setup(t);
  t.equal(await sender.ready(), undefined);
});

t.test('an SDK that cannot be loaded is told by ready, and fails each message', async (t) => {
  const { sender } = await setup(t, 'accept', { load: () => Promise.reject(new Error(`not there, ${number}`)) });
  await t.rejects(sender.ready(), { message: /not there/ });
  const error = await failure(sender.send(message(), patient()));
  t.match(error, { kind: 'temporary', reason: 'unexpected' });
  t.notOk(leaks(error));
});

t.test('a host that is none is refused at once', async (t) => {
  for (const host of [
    '',
    'https://example.com',
    'example.com/api',
    'me@example.com',
    'exa mple.com',
    'h:99999',
    'a?b',
  ]) {
    const make = () => createCompatibilitySender({ ...settings, host, load: () => t.fail() as never });
    t.throws(make, { message: 'signalwire: host must be a host name, with or without a port' }, host);
  }
});
