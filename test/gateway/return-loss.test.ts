import t from 'tap';
import { createLossReport } from '../../src/gateway/return-loss.ts';
import { BROWSER, testApp } from '../support/build-app.ts';

const ENV = { ORIGIN: 'https://login.example.com', ALLOWED_RETURN_ORIGINS: 'https://app.example.com' };
const lossesIn = (logs: readonly string[]) =>
  logs.map((line) => JSON.parse(line)).filter(({ event }) => event === 'sys_return_url_lost');

t.test('each loss is logged once, and the number of lines is bounded', async (t) => {
  const lines: unknown[] = [];
  const report = createLossReport({ warn: (fields: object) => void lines.push(fields) } as never);
  for (let round = 0; round < 3; round += 1) report('https://a.example.com', 'too long');
  report('https://a.example.com', 'another reason');
  report(undefined, 'too long');
  t.equal(lines.length, 3);
  for (let index = 0; index < 1000; index += 1) report(`https://${index}.example.com`, 'too long');
  t.equal(lines.length, 101, 'the last says that there are more');
  const [long] = [`https://${'x'.repeat(2000)}.example`];
  const others: { origin?: string }[] = [];
  createLossReport({ warn: (fields: object) => void others.push(fields) } as never)(long, 'x');
  t.equal(others[0]?.origin?.length, 300);
});

t.test('the log names the origin and the reason, and nothing else of the URL', async (t) => {
  const { get, logs } = await testApp({ env: ENV });
  const secret = 'do-not-log-this';
  const targets = [
    `https://other.example.com/?token=${secret}`,
    `https://app.example.com/?token=${secret}${'x'.repeat(3000)}`,
    `/\\${secret}`,
    `/?token=${secret}${'x'.repeat(3000)}`,
  ];
  for (const target of [...targets, ...targets])
    await get(`/login?next=${encodeURIComponent(target)}`, undefined, BROWSER);
  const losses = lossesIn(logs);
  t.match(losses, [
    { level: 40, origin: 'https://other.example.com', reason: /ALLOWED_RETURN_ORIGINS/ },
    { origin: 'https://app.example.com', reason: /longer than 2048 characters/ },
    { origin: undefined, reason: /neither a path nor a URL/ },
    { origin: undefined, reason: /longer than 2048 characters/ },
  ]);
  t.equal(losses.length, 4);
  t.notOk(logs.join().includes(secret));
});

t.test('a gateway that does not say what was requested is logged', async (t) => {
  const { get, logs } = await testApp({ env: ENV });
  await get('/auth', undefined, { ...BROWSER, 'x-forwarded-host': 'app.example.com' });
  await get('/auth', undefined, { ...BROWSER, 'x-forwarded-uri': '/', 'x-forwarded-host': '[' });
  await get('/auth', undefined, { ...BROWSER, 'x-forwarded-uri': '/x', 'x-forwarded-host': 'other.example.com' });
  await get('/auth', undefined, {
    ...BROWSER,
    'x-forwarded-uri': `/?${'/'.repeat(2000)}`,
    'x-forwarded-host': 'app.example.com',
  });
  t.match(lossesIn(logs), [
    { reason: /X-Forwarded-Uri/ },
    { reason: /X-Forwarded-Host/ },
    { origin: 'https://other.example.com' },
    { reason: /percent-encoding/ },
  ]);
});
