import t, { type Test } from 'tap';
import { createPlivoSender } from '../../src/delivery/plivo.ts';
import { type Behaviour, type RecordedRequest, startSignalWire } from '../support/signalwire.ts';
import { failure, leaks, message, number, patient, senderContract, trace, traceHeaders } from './sender.contract.ts';

const ids = { api_id: 'a', message_uuid: ['m-1'], request_uuid: 'r-1' };
const accept: Behaviour = { status: 202, body: { message: 'queued', ...ids } };
const refuse = (status: number, error: string): Behaviour => ({ status, body: { api_id: 'a', error } });

/** The fake records and answers on TLS; what it is told to answer makes it a Plivo. */
async function setup(t: Test, usually: Behaviour = accept) {
  const server = await startSignalWire();
  server.usually(usually);
  const sender = createPlivoSender({
    host: server.host,
    authId: 'MADEMO',
    authToken: 'token',
    from: '+15550100197',
    answerUrl: ({ locale }) => `https://login.example.com/answer?token=sealed-${locale}`,
    connect: { ca: server.ca },
  });
  t.teardown(async () => {
    await sender.close?.();
    await server.close();
  });
  return { server, sender };
}

t.test('Plivo keeps to the contract', async (t) => {
  const make = (behaviour: Behaviour) => async (t: Test) => (await setup(t, behaviour)).sender;
  await senderContract(t, {
    accepting: make(accept),
    failing: {
      'wrong credentials': make(refuse(401, 'unauthorized')),
      'an invalid number': make(refuse(400, `${number.slice(1)} is not a valid phone number`)),
      'too many requests': make(refuse(429, `too many for ${number}`)),
      'a server error with a page of HTML': make('server_error'),
      'something that is not the API': make('not_the_api'),
      'a connection that is cut': make('reset'),
    },
  });
});

const jsonOf = (request: RecordedRequest | undefined) => JSON.parse(request?.body ?? '');

t.test('a text message goes out as it is', async (t) => {
  const { server, sender } = await setup(t);
  const { text } = message({ text: 'Votre code : 493817' });
  t.strictSame(await sender.send(message({ text }), patient()), { sender: 'plivo', id: 'm-1' });
  const [request] = server.requests;
  t.match(request, { method: 'POST', path: '/v1/Account/MADEMO/Message/' });
  t.equal(request?.headers.authorization, `Basic ${Buffer.from('MADEMO:token').toString('base64')}`);
  t.equal(request?.headers['content-type'], 'application/json');
  t.strictSame(jsonOf(request), { src: '+15550100197', dst: number, text });
});

t.test('the trace is passed on', async (t) => {
  const { server, sender } = await setup(t);
  for (const channel of sender.channels) await sender.send(message({ channel, trace }), patient());
  for (const request of server.requests) t.match(request.headers, traceHeaders);
});

t.test('a call is told where its words are, and never the words', async (t) => {
  const { server, sender } = await setup(t);
  const receipt = await sender.send(
    message({ channel: 'voice', locale: 'fr', text: 'Votre code est 4, 9' }),
    patient(),
  );
  t.strictSame(receipt, { sender: 'plivo', id: 'r-1' });
  const [request] = server.requests;
  t.equal(request?.path, '/v1/Account/MADEMO/Call/');
  t.strictSame(jsonOf(request), {
    from: '+15550100197',
    to: number,
    answer_url: 'https://login.example.com/answer?token=sealed-fr',
    answer_method: 'POST',
  });
});

t.test('what Plivo says decides what happens next', async (t) => {
  const { server, sender } = await setup(t);
  const digits = number.slice(1);
  for (const [behaviour, kind, reason] of [
    [refuse(400, `${digits} is not a valid phone number`), 'permanent', 'number'],
    [refuse(400, `+${digits} is not a valid phone number`), 'permanent', 'number'],
    [refuse(400, `${digits} is not an SMS enabled phone number`), 'permanent', 'number'],
    [refuse(400, `${digits} has opted out`), 'permanent', 'number'],
    [refuse(400, '15550100197 is not a valid phone number'), 'temporary', 'sender_number'],
    [refuse(400, 'src parameter not present'), 'temporary', 'http_400'],
    [{ status: 400, body: { error: { code: 1 } } }, 'temporary', 'http_400'],
    [refuse(401, 'authentication failed'), 'temporary', 'credentials'],
    [refuse(403, 'forbidden'), 'temporary', 'credentials'],
    [refuse(404, 'not found'), 'temporary', 'http_404'],
    [refuse(429, 'slow down'), 'temporary', 'http_429'],
    ['server_error', 'temporary', 'http_500'],
    ['not_the_api', 'temporary', 'bad_response'],
    [{ status: 202, body: { ...ids, message_uuid: [] } }, 'temporary', 'bad_response'],
    [{ status: 202, body: { ...ids, message_uuid: [''] } }, 'temporary', 'bad_response'],
    ['reset', 'temporary', 'connection'],
  ] as const) {
    server.behave(behaviour);
    const error = await failure(sender.send(message(), patient()));
    t.match(error, { kind, reason }, JSON.stringify(behaviour));
    t.notOk(leaks(error));
  }
  server.behave({ status: 202, body: { ...ids, message_uuid: 'm-2' } });
  t.match(await sender.send(message(), patient()), { id: 'm-2' }, 'one id alone');
});

t.test('messages in turn travel over one TLS connection', async (t) => {
  const { server, sender } = await setup(t);
  for (let i = 0; i < 10; i++) await sender.send(message(), patient());
  t.equal(server.connections, 1);
});
