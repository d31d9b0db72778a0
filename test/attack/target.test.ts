import t from 'tap';
import { parseHostPort, parseTarget } from '../../src/attack/target.ts';

t.test('this machine may be attacked, by all its names', async (t) => {
  for (const host of ['127.0.0.1:3000', 'localhost:3000', '[::1]:3000', '127.9.9.9', '2130706433']) {
    t.equal(parseTarget(`http://${host}/login?x=1`, false), new URL(`http://${host}`).origin, host);
  }
  t.equal(parseTarget('https://localhost', false), 'https://localhost');
});

t.test('any other only when somebody says that it is theirs', async (t) => {
  for (const url of [
    'https://login.example.com',
    'http://192.0.2.1:3000',
    'http://localhost.example.com',
    'http://0.0.0.0',
  ]) {
    t.throws(() => parseTarget(url, false), /is not this machine.*--i-own-this-host/, url);
    t.equal(parseTarget(url, true), url);
  }
});

t.test('what is no URL of a deployment is refused either way', async (t) => {
  for (const url of [
    '',
    '127.0.0.1:3000',
    'ftp://127.0.0.1',
    'http://user:word@127.0.0.1',
    'http://127.0.0.1@example.com',
  ]) {
    for (const owned of [true, false])
      t.throws(() => parseTarget(url, owned), /^.*URL must be that of a deployment/, url);
  }
});

t.test('an inbox is a host and a port', async (t) => {
  t.strictSame(parseHostPort('127.0.0.1:8026'), { host: '127.0.0.1', port: 8026 });
  t.strictSame(parseHostPort('[::1]:0'), { host: '::1', port: 0 });
  t.strictSame(parseHostPort('localhost:65535'), { host: 'localhost', port: 65_535 });
  for (const text of [
    '',
    '8026',
    '127.0.0.1',
    ':8026',
    '127.0.0.1:65536',
    '[::1]8026',
    'http://127.0.0.1:1',
    'a b:1',
  ]) {
    t.throws(() => parseHostPort(text), /--inbox must be HOST:PORT/, text);
  }
});
