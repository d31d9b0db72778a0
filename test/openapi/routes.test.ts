import t from 'tap';
import { BROWSER, testApp } from '../support/build-app.ts';

t.test('the document is JSON, the same each time', async (t) => {
  const { get } = await testApp();
  const [first, second] = await Promise.all([get('/openapi.json'), get('/openapi.json')]);
  t.equal(first.statusCode, 200);
  t.equal(first.headers['content-type'], 'application/json; charset=utf-8');
  t.match(first.json(), { openapi: '3.1.0', info: { title: 'doorcode' } });
  t.equal(first.body, second.body);
  t.equal((await get('/openapi.json')).body, first.body);
});

t.test('the page is plain HTML with two stylesheets of our own', async (t) => {
  const { get } = await testApp({ env: { ORIGIN: 'https://login.example.com', APP_NAME: 'Example' } });
  const { body, headers, statusCode } = await get('/docs', undefined, BROWSER);
  t.equal(statusCode, 200);
  t.equal(headers['content-type'], 'text/html; charset=utf-8');
  t.match(headers['content-security-policy'], "default-src 'none';style-src 'self'");
  t.match(body, /^<!doctype html>\n<html lang="en">/);
  t.match(body, '<title>The API · Example</title>');
  t.notMatch(body, /<script|<style|\sstyle=|\son[a-z]+=|javascript:|<img|<iframe|undefined|\[object/);
  const links = [...body.matchAll(/<link rel="stylesheet" href="([^"]+)">/g)].map(([, href = '']) => href);
  t.equal(links.length, 2);
  for (const link of links) t.match(await get(link), { statusCode: 200, headers: { 'content-type': /^text\/css/ } });
  // Nothing from elsewhere but the addresses in the commands, which are ours.
  t.strictSame(
    [...new Set([...body.matchAll(/https?:\/\/[\w.-]+/g)].map(([url]) => url))],
    ['https://login.example.com'],
  );
});

t.test('each part of the contents leads to a place on the page', async (t) => {
  const { get } = await testApp();
  const { body } = await get('/docs');
  const targets = [...body.matchAll(/href="#([^"]+)"/g)].map(([, id = '']) => id);
  const ids = [...body.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id);
  t.ok(targets.length > 10);
  t.strictSame(targets, ids);
  t.match(body, '<td><code>otp_expired</code></td>');
  t.match(body, '<code class="curl">curl ');
});
