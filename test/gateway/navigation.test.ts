import type { FastifyRequest } from 'fastify';
import t from 'tap';
import { isNavigation } from '../../src/gateway/navigation.ts';
import { BROWSER } from '../support/build-app.ts';

const is = (headers: Record<string, string>, method = 'GET') =>
  isNavigation({ headers: { ...BROWSER, ...headers } } as unknown as FastifyRequest, method);
const fetched = (mode: string, dest: string) => ({ 'sec-fetch-mode': mode, 'sec-fetch-dest': dest });

t.test('a navigation is what the browser calls one', async (t) => {
  for (const dest of ['document', 'iframe', 'frame', 'embed', 'object']) t.ok(is(fetched('navigate', dest)), dest);
  t.ok(is({ 'sec-fetch-mode': 'navigate' }));
  t.ok(is({ 'sec-fetch-dest': 'document' }));
  t.ok(is({ ...fetched('navigate', 'document'), accept: '*/*' }), 'whatever it accepts');
});

t.test('nothing else is, although it accepts HTML', async (t) => {
  const others = [
    ...['cors', 'no-cors', 'same-origin', 'websocket'].map((mode) => fetched(mode, 'empty')),
    ...[
      'script',
      'style',
      'image',
      'font',
      'worker',
      'serviceworker',
      'sharedworker',
      'video',
      'manifest',
      'report',
    ].map((dest) => fetched('no-cors', dest)),
    fetched('navigate', 'empty'),
    { 'sec-fetch-mode': 'cors' },
    { 'sec-fetch-dest': 'image' },
    { 'sec-fetch-mode': 'navigate, cors' },
    { 'sec-fetch-mode': '' },
  ];
  for (const headers of others) {
    t.notOk(is(headers), JSON.stringify(headers));
    t.notOk(is({ ...headers, accept: 'text/html, */*' }), JSON.stringify(headers));
  }
});

t.test('without Fetch Metadata it is what prefers HTML and is no known script', async (t) => {
  t.ok(is({}));
  t.ok(is({ accept: 'text/html, */*' }));
  for (const headers of [
    { accept: '*/*' },
    { accept: 'application/json' },
    { accept: 'text/event-stream' },
    { accept: 'image/avif,image/webp,*/*;q=0.8' },
    { 'x-requested-with': 'XMLHttpRequest' },
    { origin: 'https://app.example.com' },
    { upgrade: 'websocket' },
  ])
    t.notOk(is(headers as Record<string, string>), JSON.stringify(headers));
});

t.test('a form that is posted is a navigation; other methods never are', async (t) => {
  t.ok(is({ origin: 'https://app.example.com' }, 'POST'));
  t.ok(is(fetched('navigate', 'document'), 'POST'));
  t.notOk(is(fetched('cors', 'empty'), 'POST'));
  for (const method of ['HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'QUERY', 'CONNECT', 'get', '']) {
    t.notOk(is({}, method), method);
    t.notOk(is(fetched('navigate', 'document'), method), method);
  }
});
