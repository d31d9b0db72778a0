import t from 'tap';
import { createReturnTo, fitBeside, MAX_TARGET_LENGTH, shorten } from '../../src/gateway/return-to.ts';
import { ALICE, BROWSER, CookieJar, PASSWORD, testApp } from '../support/build-app.ts';

const returnTo = createReturnTo(['https://app.example.com', 'http://127.0.0.1:8080', 'https://xn--mnchen-3ya.example']);

t.test('a path of our own is kept', async (t) => {
  const paths = [
    '/',
    '/inbox',
    '/inbox?a=1&b=2#top',
    '/a//b',
    '/?next=//evil.example',
    '/#//evil.example',
    '/@evil.example',
    '/:80',
    '/https://evil.example',
    '/javascript:alert(1)',
    '/%6cogin',
    '/%2F%2Fevil.example',
    '/%5Cevil.example',
    '/%09/evil.example',
    '/;//evil.example',
    `/${'x'.repeat(2047)}`,
  ];
  for (const path of paths) t.equal(returnTo(path), path, path.slice(0, 40));
});

t.test('a path is told as a browser would read it', async (t) => {
  const normalised: Record<string, string> = {
    '/a/../b': '/b',
    '/./a': '/a',
    '/%2e%2e/a': '/a',
    '/../../a': '/a',
    '/münchen?q=ü#ü': '/m%C3%BCnchen?q=%C3%BC#%C3%BC',
    '/a\u2028b': '/a%E2%80%A8b',
    '/"<>': '/%22%3C%3E',
    '/\ud83d': '/%EF%BF%BD',
    // Our own name for ourselves never leaves.
    '//return-to.invalid/a': '/a',
  };
  for (const [target, path] of Object.entries(normalised)) t.equal(returnTo(target), path, path);
});

t.test('a URL on an allowed origin is kept', async (t) => {
  const urls: Record<string, string> = {
    'https://app.example.com': 'https://app.example.com/',
    'https://app.example.com/': 'https://app.example.com/',
    'https://app.example.com/inbox?a=1#top': 'https://app.example.com/inbox?a=1#top',
    'HTTPS://APP.EXAMPLE.COM/Inbox': 'https://app.example.com/Inbox',
    'https://app.example.com:443/': 'https://app.example.com/',
    'https://app.example.com//x': 'https://app.example.com//x',
    'http://127.0.0.1:8080/': 'http://127.0.0.1:8080/',
    'http://2130706433:8080/': 'http://127.0.0.1:8080/',
    'https://münchen.example/': 'https://xn--mnchen-3ya.example/',
  };
  for (const [target, url] of Object.entries(urls)) t.equal(returnTo(target), url, target);
});

const hostile: Record<string, unknown> = {
  'another host without a scheme': '//evil.example',
  'more slashes': '///evil.example',
  'slashes alone': '////',
  'two slashes': '//',
  'a backslash for the second slash': '/\\evil.example',
  'two backslashes': '\\\\evil.example',
  'a backslash for the first slash': '\\/evil.example',
  'a backslash further in': '/a\\b',
  'another host': 'https://evil.example',
  'no slashes': 'https:evil.example',
  'one slash': 'https:/evil.example',
  'three slashes': 'https:///evil.example',
  'three slashes and an allowed host': 'https:///app.example.com',
  'an allowed host without slashes': 'https:app.example.com',
  'another host in capitals': 'HTTPS://EVIL.EXAMPLE',
  'a dot segment that leaves two slashes': '/.//evil.example',
  'a parent segment that leaves two slashes': '/..//evil.example',
  'an escaped dot segment': '/%2e//evil.example',
  'an escaped parent segment': '/a/%2e%2e//evil.example',
  'a segment and its parent': '/a/..//evil.example',
  'a tab between the slashes': '/\t/evil.example',
  'a newline between the slashes': '/\n/evil.example',
  'a carriage return between the slashes': '/\r/evil.example',
  'a null byte': '/\u0000/evil.example',
  'a null byte at the end': '/a\u0000',
  'a header in it': '/a\r\nSet-Cookie: a=b',
  'a tab before it': '\t//evil.example',
  'a blank before it': ' //evil.example',
  'a blank before a path': ' /a',
  'a blank in it': '/a b',
  'a delete': '/a\u007f',
  javascript: 'javascript:alert(1)',
  'javascript in capitals': 'JavaScript://app.example.com/%0aalert(1)',
  'javascript with a tab': 'java\tscript:alert(1)',
  data: 'data:text/html,<script>alert(1)</script>',
  vbscript: 'vbscript:x',
  file: 'file:///etc/passwd',
  blob: 'blob:https://app.example.com/uuid',
  ftp: 'ftp://app.example.com/',
  'view-source': 'view-source:https://app.example.com/',
  'an allowed host as a user': 'https://app.example.com@evil.example/',
  'an allowed host as a user with a password': 'https://app.example.com:443@evil.example/',
  'a user on an allowed host': 'https://user@app.example.com/',
  'a password on an allowed host': 'https://:pass@app.example.com/',
  'an escaped at sign': 'https://app.example.com%40evil.example/',
  'an allowed host as the start of another': 'https://app.example.com.evil.example/',
  'an allowed host as the end of another': 'https://evilapp.example.com/',
  'a host above an allowed one': 'https://example.com/',
  'a host below an allowed one': 'https://a.app.example.com/',
  'a dot behind an allowed host': 'https://app.example.com./',
  'another port': 'https://app.example.com:8443/',
  'another scheme': 'http://app.example.com/',
  'an allowed address on another port': 'http://127.0.0.1:8081/',
  'a full-width dot': 'https://app.example。com.evil.example/',
  'a look-alike letter': 'https://аpp.example.com/',
  'our own name for ourselves': 'http://return-to.invalid/a',
  'a fragment in the host': 'https://evil.example#.app.example.com/',
  'a backslash before an allowed host': 'https://evil.example\\@app.example.com/',
  'no path': 'inbox',
  'a relative path': './inbox',
  'a parent path': '../inbox',
  'a query alone': '?a=1',
  'a fragment alone': '#a',
  'a host alone': 'app.example.com',
  'no URL': 'https://',
  'a bad port': 'https://app.example.com:99999/',
  'a bad address': 'http://[::1/',
  empty: '',
  'too long': `/${'x'.repeat(2048)}`,
  'too long once escaped': `/${'ü'.repeat(400)}`,
  absent: undefined,
  null: null,
  'an array': ['/inbox'],
  'an object': { toString: () => '/inbox' },
  'a number': 1,
  'a boolean': true,
};

t.test('anything else leads home', async (t) => {
  for (const [name, target] of Object.entries(hostile)) t.equal(returnTo(target), '/', name);
});

t.test('a URL may be as long as a path', async (t) => {
  const longest = `https://app.example.com/${'x'.repeat(2024)}`;
  t.equal(longest.length, 2048);
  t.equal(returnTo(longest), longest);
});

t.test('what is longer loses its fragment, then its query, then its path, but not its origin', async (t) => {
  const app = 'https://app.example.com';
  const long = 'x'.repeat(2048);
  for (const start of ['', app]) {
    t.equal(returnTo(`${start}/a?b=c#${long}`), `${start}/a?b=c`);
    t.equal(returnTo(`${start}/a?b=${long}#d`), `${start}/a`);
    t.equal(returnTo(`${start}/${long}?b=c`), `${start}/`);
  }
  t.equal(returnTo(`/.//evil.example?${long}`), '/');
  t.equal(returnTo(`https://evil.example/?${long}`), '/');
  t.equal(shorten('/a?b=c', 3), '/a');
});

t.test('a long name leaves less room in the cookie, and never too little', async (t) => {
  const target = `/a?${'x'.repeat(2045)}`;
  t.equal(fitBeside('alice', target), target);
  t.equal(fitBeside('x'.repeat(256), target), target);
  t.equal(fitBeside('x'.repeat(257), target), '/a');
  t.equal(fitBeside('😀'.repeat(256), target), '/a');
});

t.test('the longest target and the longest name fit into one cookie', async (t) => {
  for (const username of ['x'.repeat(256), '😀'.repeat(256)]) {
    const { login, post, messages } = await testApp({ users: [{ ...ALICE, username }] });
    const { response } = await login({ ...ALICE, username });
    t.equal(response.statusCode, 200);
    const next = fitBeside(username, `/?${'x'.repeat(2046 - Math.max(0, Buffer.byteLength(username) - 256))}`);
    t.ok(next.length > 1200);
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const jar = new CookieJar();
      const answer = await post('/login', { username, password: PASSWORD, next }, jar);
      const [cookie = ''] = [answer.headers['set-cookie'] ?? []].flat();
      const [pair = ''] = cookie.split(';');
      t.ok(pair.length < 4000, `${pair.length} bytes`);
      t.equal((await post('/otp', { otp: messages.at(-1)?.code }, jar)).json().next, next);
    }
  }
});

t.test('with no allowed origins, there are only our own paths', async (t) => {
  const strict = createReturnTo([]);
  t.equal(strict('/inbox'), '/inbox');
  t.equal(strict('https://app.example.com/'), '/');
});

t.test('the allowed origin “null” lets nothing in', async (t) => {
  // The origin of `javascript:` and `data:` URLs.
  const careless = createReturnTo(['null']);
  for (const target of ['javascript:alert(1)', 'data:text/html,x', 'blob:x']) t.equal(careless(target), '/', target);
});

t.test('the sign-in goes where the rule says, by page, form and JSON', async (t) => {
  const { post, postForm, get, messages } = await testApp({
    env: { ALLOWED_RETURN_ORIGINS: 'https://app.example.com', LIMIT_SEND_ADDRESS: 'off' },
  });
  const good = ['/inbox?a=1#b', 'https://app.example.com/inbox'];
  const bad = Object.values(hostile).filter(
    (target) => typeof target === 'string' && target.length <= MAX_TARGET_LENGTH,
  );
  for (const target of [...good, ...bad] as string[]) {
    const expected = good.includes(target) ? target : '/';
    const page = await get(`/login?next=${encodeURIComponent(target)}`, undefined, BROWSER);
    const field = /name="next" value="([^"]*)"/.exec(page.body)?.[1] ?? '/';
    t.equal(field, expected, `page: ${JSON.stringify(target)}`);

    const jar = new CookieJar();
    await post('/login', { username: 'alice', password: PASSWORD, next: target }, jar);
    const json = await post('/otp', { otp: messages.at(-1)?.code }, jar);
    t.equal(json.json().next, expected, `JSON: ${JSON.stringify(target)}`);

    const browser = new CookieJar();
    await postForm('/login', { username: 'alice', password: PASSWORD, next: target }, browser);
    const form = await postForm('/otp', { otp: messages.at(-1)?.code ?? '' }, browser);
    t.match(form, { statusCode: 303, headers: { location: expected } }, `form: ${JSON.stringify(target)}`);
    t.equal(form.headers.location, expected);

    const again = await get(`/login?next=${encodeURIComponent(target)}`, browser, BROWSER);
    t.equal(again.headers.location, expected, `signed in already: ${JSON.stringify(target)}`);
  }
  // What is far too long is refused where a program can read why; a page that somebody opens shows the form all the same.
  const long = `/inbox?${'x'.repeat(MAX_TARGET_LENGTH)}`;
  t.match((await post('/login', { username: 'alice', password: PASSWORD, next: long })).json(), {
    code: 'invalid_request',
    detail: /next/,
  });
  t.match((await postForm('/login', { username: 'alice', password: PASSWORD, next: long })).statusCode, 400);
  t.match((await get(`/login?next=${long}`, undefined, BROWSER)).body, 'name="next" value="/inbox"');
  const longer = new CookieJar();
  await post('/login', { username: 'alice', password: PASSWORD, next: long.slice(0, MAX_TARGET_LENGTH) }, longer);
  t.equal((await post('/otp', { otp: messages.at(-1)?.code }, longer)).json().next, '/inbox');

  const twice = await get('/login?next=/a&next=//evil.example', undefined, BROWSER);
  t.notMatch(twice.body, 'name="next"');
});
