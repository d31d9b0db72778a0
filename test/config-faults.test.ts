import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { examineConfig, settingNames } from '../src/config.ts';
import { ConfigError, type Environment } from '../src/environment.ts';
import { serve } from '../src/serve.ts';

const VALUES = [
  ...['   ', '_', 'a_b.example.com', '-a.example.com', 'example.com.', '.example.com', '..', '.', 'a'.repeat(5000)],
  ...['2001:db8::1', '[2001:db8::1]', 'fe80::1%lo', 'fe80::1%eth0/64', '::', '127.0.0.1', '192.0.2.1', '0.0.0.0'],
  ...['bücher.example', 'https://bücher.example', 'пример.example', '💥', '\ud800', '٣'],
  ...['a\tb', 'a\nb', 'a\r\nb: c', 'a\u0001b', 'a\0b', 'a\u007fb'],
  ...['0', '1', '00', '-1', '+1', '1.5', '1e9', '0x10', '65536', '9'.repeat(20), 'NaN', 'Infinity', 'null'],
  ...['1/1', '0/0', '1/0', '1/1,1/1', '999999999/999999999', ',', ',,', 'a,', '*', '%', '%zz', '{}', '"quoted"', "'"],
  ...['http://', 'https://user:password@example.com', 'https://example.com/path', 'https://example.com:99999'],
  ...['https://example.com:0', 'https://exa_mple.com', 'https://*.example.com', 'https://example.com?x'],
  ...['https://example.com;,', 'https://example.com/a;b', "https://exa'mple.com", 'http://[fe80::1%25lo]:1'],
  ...['https://[2001:db8::1]', 'javascript:alert(1)', 'file:///etc/passwd', 'redis://', 'redis://h:0', 'rediss://a b'],
  ...['10.0.0.0/0', '10.0.0.0/33', '10.0.0.0/08', '::ffff:10.0.0.1/24', 'loopback', 'off', 'on', 'Info', '#fff'],
  ...['/nonexistent/file', '/dev', '/dev/null', '+15550100199'],
];

/** Settings with what they need to have an effect. */
const BASES: readonly Record<string, string>[] = [
  {},
  {
    ...{ SIGNALWIRE_SPACE: 'example.signalwire.com', SIGNALWIRE_PROJECT: 'p', SIGNALWIRE_TOKEN: 't' },
    ...{ SIGNALWIRE_NUMBER: '+15550100199', TWILIO_ACCOUNT_SID: 'AC1', TWILIO_AUTH_TOKEN: 't' },
    ...{ TWILIO_NUMBER: '+15550100198', PLIVO_AUTH_ID: 'MA1', PLIVO_AUTH_TOKEN: 't', PLIVO_NUMBER: '+15550100197' },
    ...{ WEBHOOK_URL: 'http://127.0.0.1:1/', WEBHOOK_SECRET: 'a secret of the tests', ORIGIN: 'https://a.example.com' },
    ...{ USERS_URL: 'http://127.0.0.1:1/', USERS_TOKEN: 'token', COOKIE_DOMAIN: 'example.com' },
    ...{ TEST_NUMBERS: '+15550100001:123456', TEST_NUMBERS_UNTIL: '2099-01-31' },
  },
];

const NAMED = /^[A-Z][A-Z0-9_]*(?:, [A-Z][A-Z0-9_]*)*: \S/;

function outcome(env: Environment): readonly string[] | Error {
  try {
    return examineConfig(env).faults;
  } catch (error) {
    return error as Error;
  }
}

/** Settings that are given a value together, few and unrelated, so that the fault of one seldom hides that of another. */
const GROUP_SIZE = 8;

function groupsOf(names: readonly string[]): string[][] {
  const count = Math.ceil(names.length / GROUP_SIZE);
  return Array.from({ length: count }, (_, group) => names.filter((_name, index) => index % count === group));
}

/** How many services run at a time. Each one waits a moment for its connections when it closes. */
const PARALLEL = 4;

t.test('every fault of a setting has the name of the setting', async (t) => {
  for (const base of BASES) {
    for (const names of groupsOf(settingNames())) {
      for (const value of VALUES) {
        for (const suffix of ['', '_FILE']) {
          const settings = Object.fromEntries(names.map((name) => [name + suffix, value]));
          const faults = outcome({ ...base, ...settings });
          const bad = faults instanceof Error || faults.some((fault) => !NAMED.test(fault));
          if (bad) t.fail(`${Object.keys(settings)}=${JSON.stringify(value)}: ${faults}`);
        }
      }
    }
  }
  t.ok(VALUES.length > 80);
});

/** Starts the service with a value of several settings, without those that conflict. @returns whether it started */
async function startsWith(t: Test, base: Record<string, string>, names: string[], value: string): Promise<boolean> {
  const accepting = new Set(names);
  for (let tries = 0; tries < names.length && accepting.size > 0; tries += 1) {
    const settings = Object.fromEntries([...accepting].map((name) => [name, value]));
    try {
      const env = { ...base, ...settings, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'silent' };
      const service = await serve({ env, write: () => {} });
      const { status } = await fetch(`${service.url}/login`, { headers: { accept: 'text/html' } });
      if (status !== 200) t.fail(`${JSON.stringify(value)}: ${status} with ${[...accepting]}`);
      await service.close(0, 60_000);
      return true;
    } catch (error) {
      const faults = error instanceof ConfigError ? error.faults : [];
      const conflicting = [...accepting].filter((name) => faults.some((fault) => fault.includes(name)));
      if (conflicting.length === 0 || !faults.every((fault) => NAMED.test(fault))) {
        t.fail(`${JSON.stringify(value)} of ${[...accepting]}: ${error}`);
        return false;
      }
      for (const name of conflicting) accepting.delete(name);
    }
  }
  return false;
}

t.test('what the settings accept starts, or is a fault with a name, and the login page is shown', async (t) => {
  // These decide where the service listens and what it connects to; other tests have them.
  const excluded = [
    'HOST',
    'PORT',
    'METRICS_PORT',
    'REDIS_URL',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'LOG_LEVEL',
    'NODE_ENV',
  ];
  const names = settingNames().filter((name) => !excluded.includes(name));
  // Each value is tried with one of the bases, which make a difference to the settings of senders and users only.
  const queue = VALUES.map((value, index) => ({ value, base: BASES[index % BASES.length] ?? {} }));
  let starts = 0;
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { value, base } = next;
      const accepting = names.filter((name) => [outcome({ ...base, [name]: value })].flat().length === 0);
      // All settings that accept the value, together.
      if (await startsWith(t, base, accepting, value)) starts += 1;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  t.ok(starts > VALUES.length / 2, `${starts} starts`);
});

t.test('a domain for cookies is a name that a cookie can have', async (t) => {
  const faultsOf = (origin: string, domain: string) => outcome({ ORIGIN: origin, COOKIE_DOMAIN: domain });
  const refused: [origin: string, domain: string][] = [
    ['http://a_b.example.com', 'a_b.example.com'],
    ['http://login.a_b.example.com', 'a_b.example.com'],
    ['http://[2001:db8::1]', '[2001:db8::1]'],
    ['http://[2001:db8::1]', '2001:db8::1'],
    ['http://login.example.com', 'example.com.'],
    ['http://login.example.com.', 'example.com.'],
    ['http://login.example.com', '..example.com'],
    ['http://login.-a.example.com', '-a.example.com'],
    ['http://login.example.com', 'exa mple.com'],
    ['http://login.example.com', `${'a'.repeat(64)}.com`],
    ['http://login.example.com', 'example.com:443'],
  ];
  for (const [origin, domain] of refused) {
    t.match(faultsOf(origin, domain), [/^COOKIE_DOMAIN: must be/], `${origin} ${domain}`);
  }
  for (const domain of ['bücher.example', 'BÜCHER.example', 'xn--bcher-kva.example', '.bücher.example']) {
    t.strictSame(faultsOf('http://login.bücher.example', domain), [], domain);
  }
});

t.test('a service that cannot listen names the setting', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const port = String((taken.address() as AddressInfo).port);
  // Addresses that the machine does not have are tested with the built program, because Node.js keeps their sockets until
  // the next garbage collection.
  const table: [env: Record<string, string>, faults: RegExp[]][] = [
    [{ PORT: port }, [/^PORT: \d+ is taken/]],
    [{ METRICS_PORT: port }, [/^METRICS_PORT: \d+ is taken/]],
    [{ PORT: port, METRICS_PORT: port }, [/^METRICS_PORT: must not be PORT/]],
    [{ HOST: 'host.invalid' }, [/^HOST: host\.invalid cannot be resolved/]],
    [{ HOST: '[::1]' }, [/^HOST: must be an address/]],
    [{ HOST: 'http://127.0.0.1' }, [/^HOST: must be an address/]],
    [{ HOST: 'a'.repeat(5000) }, [/^HOST: must be an address/]],
    [{ HOST: '127.0.0.1\u0000' }, [/^HOST: must be an address/]],
  ];
  for (const [env, faults] of table) {
    const error = await serve({
      env: { HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'silent', ...env },
      write: () => {},
    }).catch((each) => each);
    t.match(error, { name: 'ConfigError', faults }, JSON.stringify(env).slice(0, 80));
  }
});

t.test('a bearer token that no header can carry is a fault', async (t) => {
  for (const token of ['to ken', 'tökén', 'a\r\nb', 'a\u0000b']) {
    t.match(outcome({ USERS_URL: 'http://127.0.0.1/', USERS_TOKEN: token }), [/^USERS_TOKEN: must have visible ASCII/]);
  }
});
