import { createHmac } from 'node:crypto';
import t from 'tap';
import { loadSdk } from '../../src/delivery/compatibility-sdk.ts';
import { compatibilitySignature, plivoSignatureV2, plivoSignatureV3 } from '../../src/phone-simulator/signature.ts';

t.test('Twilio’s own example', async (t) => {
  const fields = {
    To: '+18005551212',
    From: '+12349013030',
    Digits: '1234',
    Caller: '+12349013030',
    CallSid: 'CA1234567890ABCDE',
  };
  const url = 'https://mycompany.com/myapp.php?foo=1&bar=2';
  t.equal(compatibilitySignature('12345', url, fields), '0/KCTR6DLpKmkAf8muzZqo1nDgQ=');
});

t.test('SignalWire’s SDK takes it for its own', async (t) => {
  const { RestClient } = (await loadSdk()) as unknown as {
    RestClient: { validateRequest(key: string, signature: string, url: string, fields: object): boolean };
  };
  const fields = { MessageSid: 'one', MessageStatus: 'delivered', To: '+15550100100', From: 'Zoë' };
  const url = 'http://127.0.0.1:3000/callbacks/signalwire?message=1';
  const signature = compatibilitySignature('key', url, fields);
  t.equal(RestClient.validateRequest('key', signature, url, fields), true);
  t.equal(RestClient.validateRequest('other', signature, url, fields), false);
  t.equal(RestClient.validateRequest('key', signature, url, { ...fields, To: '+15550100101' }), false);
});

t.test('the examples of Plivo’s own library, for messages', async (t) => {
  for (const [url, nonce, signature] of [
    ['https://answer.url', '12345', 'ehV3IKhLysWBxC1sy8INm0qGoQYdYsHwuoKjsX7FsXc='],
    ['https://answer.url:8000', '24725744043720739450', 'LDphWoWimP4QM5AoWI1uwP6WmlWtt5ITPZjXIWYvCNU='],
  ] as const) {
    t.equal(plivoSignatureV2('my_auth_token', url, nonce), signature);
  }
});

t.test('Plivo’s for messages is over the URL without its query, and the nonce', async (t) => {
  const signature = createHmac('sha256', 'token').update('https://answer.example:8000/sms/12345').digest('base64');
  t.equal(plivoSignatureV2('token', 'https://answer.example:8000/sms/?a=1', '12345'), signature);
});

t.test('Plivo’s for calls is over URL, sorted query, sorted form and nonce', async (t) => {
  const fields = { To: '15550100100', From: '15550100199' };
  for (const [method, url, signed] of [
    ['POST', 'https://answer.example/call', 'https://answer.example/call?From15550100199To15550100100.n1'],
    [
      'POST',
      'https://answer.example/call?b=2&a=%31',
      'https://answer.example/call?a=1&b=2.From15550100199To15550100100.n1',
    ],
    ['GET', 'https://answer.example/call', 'https://answer.example/call?From=15550100199&To=15550100100.n1'],
    ['GET', 'https://answer.example/call?X=1', 'https://answer.example/call?From=15550100199&To=15550100100&X=1.n1'],
  ] as const) {
    t.equal(
      plivoSignatureV3('token', method, url, fields, 'n1'),
      createHmac('sha256', 'token').update(signed).digest('base64'),
      url,
    );
  }
  t.equal(
    plivoSignatureV3('token', 'GET', 'https://answer.example/call', {}, 'n1'),
    createHmac('sha256', 'token').update('https://answer.example/call.n1').digest('base64'),
  );
});
