import Fastify from 'fastify';
import t from 'tap';
import { hasDuplicateMembers, registerJsonBody } from '../../src/http/json-body.ts';
import { testApp } from '../support/build-app.ts';

const twice: Record<string, string> = {
  'the same member': '{"a":1,"a":2}',
  'the same member with the same value': '{"a":1,"a":1}',
  'one spelled with an escape': '{"a":1,"\\u0061":2}',
  'both spelled with an escape': '{"\\u0061":1,"\\u0061":2}',
  'an escaped quote in the name': '{"\\"":1,"\\u0022":2}',
  'a name of a surrogate pair': '{"😀":1,"\\ud83d\\ude00":2}',
  'an empty name': '{"":1,"":2}',
  'blanks around the colon': '{"a" \t\r\n :1,"a":2}',
  'in an inner object': '{"a":{"b":1,"b":2}}',
  'in an object in an array': '[{"a":1},{"a":1,"a":2}]',
  'after an inner object that has closed': '{"a":{"b":1},"b":2,"a":3}',
  'after a string with braces': '{"a":"{","b":"}}","a":2}',
  'a name with a broken escape': '{"\\u00zz":1,"\\u00zz":2}',
};

const once: Record<string, string> = {
  'no members': '{}',
  'different members': '{"a":1,"b":2}',
  'names that differ in case': '{"a":1,"A":2}',
  'the same member in objects side by side': '[{"a":1},{"a":2}]',
  'the same member inside and outside': '{"a":{"a":{"a":1}}}',
  'a value that looks like a member': '{"a":"\\"a\\":1","b":"a"}',
  'values that are alike': '{"a":"x","b":"x","c":["x","x"]}',
  'braces and colons in strings': '{"a":"{\\"b\\":1}","b":":{}[],"}',
  'a string that ends in a backslash': '{"a":"\\\\","b":"\\\\"}',
  'no object at all': '["a","a"]',
  'a string': '"a"',
  nothing: '',
  // Not JSON: the answer means nothing, but there must be one.
  'a member without an object': '"a":1,"a":2',
  'closing braces only': '}}}',
};

t.test('a member that is named twice is seen', async (t) => {
  for (const [name, json] of Object.entries(twice)) t.equal(hasDuplicateMembers(json), true, name);
});

t.test('members that are named once are not mistaken for it', async (t) => {
  for (const [name, json] of Object.entries(once)) t.equal(hasDuplicateMembers(json), false, name);
});

// Looked at again from every quote on, any of these would take minutes; the text of a body is up to 16 KiB.
t.test('time grows with the length of the text, and no faster', async (t) => {
  const hostile = {
    'a string without an end': `"${'\\"'.repeat(150_000)}`,
    'a string without an end, cut in an escape': `"${'\\"'.repeat(150_000)}\\`,
    'blanks where a colon could be': `"a"${' '.repeat(300_000)}`,
    'many strings, none a member': '""'.repeat(150_000),
    'objects that never close': '{"a":'.repeat(60_000),
  };
  for (const [name, json] of Object.entries(hostile)) {
    const start = process.hrtime.bigint();
    t.equal(hasDuplicateMembers(json), false, name);
    t.ok(process.hrtime.bigint() - start < 5_000_000_000n, `${name}: within five seconds`);
  }
});

function echoApp() {
  const app = Fastify();
  registerJsonBody(app);
  app.post('/', async (request) => ({ body: request.body }));
  return (payload: string, type = 'application/json') =>
    app.inject({ method: 'POST', url: '/', headers: { 'content-type': type }, payload });
}

t.test('good JSON is read as it stands', async (t) => {
  const post = echoApp();
  for (const json of ['{"a":"{\\"a\\":1}","b":[{"a":1},{"a":null}]}', '[]', '"text"', '1', 'null', ' {"a":1} ']) {
    t.strictSame((await post(json)).json(), { body: JSON.parse(json) }, json);
  }
  t.strictSame((await post('{"a":1}', 'application/json; charset=utf-8')).json(), { body: { a: 1 } });
});

t.test('bad JSON is refused with 400', async (t) => {
  const post = echoApp();
  const bad = {
    ...twice,
    __proto__: '{"__proto__":{"admin":true}}',
    '__proto__ with an escape': '{"\\u005f_proto__":{"admin":true}}',
    '__proto__ further in': '{"a":[{"__proto__":1}]}',
    'constructor.prototype': '{"constructor":{"prototype":{"admin":true}}}',
    'cut short': '{"a":',
    'a comma too many': '{"a":1,}',
    'single quotes': "{'a':1}",
    'a comment': '{"a":1}//',
    'something behind it': '{"a":1}{"a":1}',
    NaN: '{"a":NaN}',
    'a raw newline in a string': '{"a":"\n"}',
  };
  for (const [name, json] of Object.entries(bad)) {
    const response = await post(json);
    t.equal(response.statusCode, 400, `${name}: ${response.body}`);
  }
});

t.test('plain text is no longer a body', async (t) => {
  const response = await echoApp()('{"a":1}', 'text/plain');
  t.equal(response.statusCode, 415);
});

t.test('the developer is told that a member is named twice', async (t) => {
  const { app } = await testApp();
  const response = await app.inject({
    method: 'POST',
    url: '/login',
    headers: { 'content-type': 'application/json' },
    payload: '{"username":"alice","username":"bob","password":"x"}',
  });
  t.strictSame(response.json(), {
    status: 400,
    code: 'invalid_request',
    title: 'Invalid request',
    detail: 'a JSON member is named twice',
  });
});

t.test('nothing at all is no body, for the route to judge', async (t) => {
  t.equal((await echoApp()('')).statusCode, 200);
});
