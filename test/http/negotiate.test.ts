import Fastify from 'fastify';
import t from 'tap';
import { wantsHtml } from '../../src/http/negotiate.ts';
import { BROWSER } from '../support/build-app.ts';

const app = Fastify();
app.get('/', async (request) => wantsHtml(request));
const answer = async (accept: string | undefined) =>
  (await app.inject({ url: '/', headers: accept === undefined ? {} : { accept } })).json();

t.test('whoever prefers a page gets one', async (t) => {
  const browsers = [
    BROWSER.accept,
    'text/html',
    'TEXT/HTML',
    'text/html, */*',
    'text/html;q=0.9, application/json;q=0.8',
    'text/*',
    'application/json;q=0, text/html',
  ];
  for (const accept of browsers) t.equal(await answer(accept), true, accept);
});

t.test('everybody else gets JSON', async (t) => {
  const programs = [
    undefined,
    '',
    '*/*',
    'application/json',
    'application/problem+json',
    'application/json, text/html;q=0.9',
    'application/json, text/html',
    'text/html;q=0',
    'text/html;q=0.1, */*',
    'image/avif,image/webp,*/*;q=0.8',
    'text/plain',
    'html',
    ',;=/',
    `${'a/b,'.repeat(3000)}c`,
  ];
  for (const accept of programs) t.equal(await answer(accept), false, accept?.slice(0, 40) ?? 'no header');
});
