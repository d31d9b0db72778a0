import t from 'tap';
import { encodeRemoteUser } from '../../src/gateway/remote-user.ts';

t.test('a name becomes a header value, and decoding gives it back', async (t) => {
  const names: Record<string, string> = {
    alice: 'alice',
    'alice.o-neill_1~x@example.com': 'alice.o-neill_1~x@example.com',
    'a+b': 'a+b',
    'Zoë Müller': 'Zo%C3%AB%20M%C3%BCller',
    李雷: '%E6%9D%8E%E9%9B%B7',
    '😀': '%F0%9F%98%80',
    'CORP\\bob': 'CORP%5Cbob',
    '100%': '100%25',
    'a,b;c="d"': 'a%2Cb%3Bc%3D%22d%22',
    "o'neill (!*)": 'o%27neill%20%28%21%2A%29',
    'a\r\nRemote-User: admin': 'a%0D%0ARemote-User%3A%20admin',
    'a\u0000b': 'a%00b',
    '%40': '%2540',
  };
  for (const [name, value] of Object.entries(names)) {
    t.equal(encodeRemoteUser(name), value, value);
    t.equal(decodeURIComponent(value), name);
    t.match(value, /^[\w.~@+%-]+$/);
  }
});

t.test('two names never share a value', async (t) => {
  const every = Array.from({ length: 0x3000 }, (_, point) => String.fromCodePoint(point));
  t.equal(new Set(every.map(encodeRemoteUser)).size, every.length);
  t.throws(() => encodeRemoteUser('\ud800'), URIError);
});
