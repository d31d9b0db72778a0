import { createHmac } from 'node:crypto';
import t from 'tap';
import { isReceiptSigned } from '../../src/callbacks/receipt-signature.ts';

// The example of Twilio's own helper libraries (github.com/twilio-samples/api-snippets, signature_validation).
const published = {
  key: '12345',
  url: 'https://mycompany.com/myapp.php?foo=1&bar=2',
  fields: {
    CallSid: 'CA1234567890ABCDE',
    Caller: '+14158675310',
    Digits: '1234',
    From: '+14158675310',
    To: '+18005551212',
  },
  signature: 'GvWf1cFY/Q7PnoempGyD5oXAezc=',
};

t.test('the published example', async (t) => {
  const { key, url, fields, signature } = published;
  t.equal(isReceiptSigned(signature, url, fields, key), true);
  const reversed = Object.fromEntries(Object.entries(fields).reverse());
  t.equal(isReceiptSigned(signature, url, reversed, key), true, 'in any order');
});

t.test('anything that differs', async (t) => {
  const { key, url, fields, signature } = published;
  t.equal(isReceiptSigned(undefined, url, fields, key), false);
  t.equal(isReceiptSigned('', url, fields, key), false);
  t.equal(isReceiptSigned('!', url, fields, key), false);
  t.equal(isReceiptSigned(`${signature}AAAA`, url, fields, key), false);
  t.equal(isReceiptSigned(signature, url, fields, '12346'), false);
  t.equal(isReceiptSigned(signature, `${url}&baz=3`, fields, key), false);
  t.equal(isReceiptSigned(signature, url, { ...fields, Digits: '1235' }, key), false);
  t.equal(isReceiptSigned(signature, url, { ...fields, More: '' }, key), false);
  const { To: _, ...fewer } = fields;
  t.equal(isReceiptSigned(signature, url, fewer, key), false);
});

t.test('with the default port in the URL or without', async (t) => {
  const sign = (text: string) => createHmac('sha1', 'key').update(text).digest('base64');
  for (const [given, signed] of [
    ['https://login.example/x', 'https://login.example:443/x'],
    ['https://login.example/x', 'https://login.example/x'],
    ['http://login.example/x?a=1', 'http://login.example:80/x?a=1'],
    ['https://login.example:8443/x', 'https://login.example:8443/x'],
  ] as const) {
    t.equal(isReceiptSigned(sign(`${signed}a1`), given, { a: '1' }, 'key'), true, signed);
  }
  t.equal(isReceiptSigned(sign('https://login.example:8443/x'), 'https://login.example/x', {}, 'key'), false);
});
