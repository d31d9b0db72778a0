import { brotliCompressSync, gzipSync } from 'node:zlib';
import Fastify from 'fastify';
import t from 'tap';
import { serveAsset } from '../../src/pages/assets.ts';
import { BROWSER, CookieJar, PASSWORD, testApp } from '../support/build-app.ts';

/** Everything that a browser loads to sign in, compressed: pages, stylesheet, script, icon. */
const BUDGET_BYTES = 30 * 1024;

t.test('an address stands for one content, for ever', async (t) => {
  const app = Fastify();
  const kind = { name: 'a', ending: 'css', type: 'text/css' };
  const one = serveAsset(app, kind, 'b{}');
  const other = serveAsset(app, kind, 'c{}');
  t.match(one, /^\/assets\/a-[0-9a-f]{12}\.css$/);
  t.not(one, other);
  const answer = await app.inject(one);
  t.match(answer, {
    statusCode: 200,
    body: 'b{}',
    headers: { 'cache-control': 'public, max-age=31536000, immutable' },
  });
});

t.test('login, code and signed-in page with all that they need stay under 30 KB', async (t) => {
  const { get, postForm, messages } = await testApp();
  const jar = new CookieJar();
  const pages: string[] = [];
  const open = async (path: string) => {
    const page = await get(path, jar, BROWSER);
    t.equal(page.statusCode, 200, path);
    pages.push(page.body);
  };
  await open('/login');
  await postForm('/login', { username: 'alice', password: PASSWORD }, jar);
  await open('/otp');
  await postForm('/otp', { otp: messages[0]?.code ?? '' }, jar);
  await open('/');
  const addresses = pages.flatMap((body) =>
    [...body.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, to]) => to),
  );
  const assets = await Promise.all([...new Set(addresses)].map(async (to = '') => (await get(to)).body));
  t.equal(assets.length, 3, 'stylesheet, script, icon');
  const bytes = (compress: (text: string) => Buffer) =>
    [...pages, ...assets].reduce((sum, text) => sum + compress(text).length, 0);
  const gzip = bytes((text) => gzipSync(text));
  t.ok(gzip < BUDGET_BYTES, `${gzip} bytes with gzip, ${bytes((text) => brotliCompressSync(text))} with brotli`);
  t.ok(gzip > 3000, 'there was something to measure');
  t.comment(`${gzip} bytes`);
});
