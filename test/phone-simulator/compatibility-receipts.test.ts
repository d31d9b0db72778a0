import t from 'tap';
import { compatibilityEndpoint } from '../../src/phone-simulator/compatibility.ts';
import { compatibilityReceipts } from '../../src/phone-simulator/compatibility-receipts.ts';
import { compatibilitySignature } from '../../src/phone-simulator/signature.ts';

const AC = `AC${'0123456789abcdef'.repeat(2)}`;
const FORM = 'application/x-www-form-urlencoded';
const HOOK = 'http://127.0.0.1:3000/hook';
const sms = { To: '+15550100100', From: '+15550100199' };
const call = { ...sms, Twiml: '<Response><Say language="en-US">Hello</Say></Response>' };

function endpoint(account: string, resource: 'Messages' | 'Calls') {
  const found = compatibilityEndpoint(`/2010-04-01/Accounts/${account}/${resource}.json`);
  if (found === null) throw new Error('no such endpoint');
  return found;
}

t.test('what became of a message is told in turn, and signed', async (t) => {
  const keys = { token: 'token', signingKey: 'key' };
  const order = { to: sms.To, from: sms.From, text: 'x', receipt: { url: HOOK, method: 'POST', events: [] } } as const;
  const told = endpoint(AC, 'Messages').receipts(order, 'SM1', true, keys);
  t.match(told, [
    { url: HOOK, method: 'POST', fields: { MessageSid: 'SM1', MessageStatus: 'sent', AccountSid: AC } },
    { fields: { MessageStatus: 'delivered', SmsStatus: 'delivered', To: sms.To, From: sms.From } },
  ]);
  for (const { url, fields, headers } of told) {
    t.strictSame(headers, { 'x-twilio-signature': compatibilitySignature('token', url, fields) });
  }
  const [, failed] = endpoint('project', 'Messages').receipts(order, 'one', false, keys);
  t.match(failed, { fields: { MessageStatus: 'undelivered', ErrorCode: '30003' } });
  const signature = compatibilitySignature('key', HOOK, failed?.fields ?? {});
  t.strictSame(failed?.headers, { 'x-signalwire-signature': signature, 'x-twilio-signature': signature });
  t.strictSame(compatibilityReceipts(endpoint(AC, 'Messages'), { to: '', from: '', text: '' }, 'SM1', true, keys), []);
});

t.test('of a call, what was asked for is told', async (t) => {
  const voice = endpoint(AC, 'Calls');
  const statuses = (events: string[], delivered: boolean) => {
    const form = new URLSearchParams({ ...call, StatusCallback: HOOK });
    for (const event of events) form.append('StatusCallbackEvent', event);
    const order = voice.read(FORM, form.toString());
    const told = voice.receipts(order, 'CA1', delivered, { token: 'a', signingKey: 'b' });
    return told.map(({ fields }) => fields['CallStatus']);
  };
  const all = ['completed', 'answered', 'ringing', 'initiated'];
  t.strictSame(statuses([], true), ['completed']);
  t.strictSame(statuses(all, true), ['initiated', 'ringing', 'in-progress', 'completed']);
  t.strictSame(statuses(['ringing'], true), ['ringing']);
  t.strictSame(statuses(all, false), ['initiated', 'ringing', 'no-answer']);
});

t.test('GET has the fields in the query, which is signed with it', async (t) => {
  const voice = endpoint(AC, 'Calls');
  const form = { ...call, StatusCallback: `${HOOK}?a=1`, StatusCallbackMethod: 'GET' };
  const order = voice.read(FORM, new URLSearchParams(form).toString());
  const [told] = voice.receipts(order, 'CA1', true, { token: 'token', signingKey: '' });
  t.match(told, { method: 'GET', url: /^http:\/\/127\.0\.0\.1:3000\/hook\?a=1&.*CallStatus=completed/, fields: {} });
  t.equal(told?.headers['x-twilio-signature'], compatibilitySignature('token', told?.url ?? '', {}));
});
