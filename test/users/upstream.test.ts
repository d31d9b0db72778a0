import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Agent } from 'undici';
import { noProxies } from '../../src/proxy-config.ts';
import { foldUsername } from '../../src/username.ts';
import { createUpstreamDirectory } from '../../src/users/upstream.ts';
import { startHttpProxy } from '../support/http-proxy.ts';
import { directoryContract } from './directory.contract.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** An upstream on 127.0.0.1 that gives one kind of answer, and remembers what it was asked. */
async function fakeUpstream(t: Test, answer: Answer) {
  const requests: {
    method: string | undefined;
    url: string | undefined;
    headers: IncomingMessage['headers'];
    body: string;
  }[] = [];
  let sockets = 0;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    requests.push({ method: request.method, url: request.url, headers: request.headers, body });
    answer(request, response, body);
  });
  server.on('connection', () => {
    sockets += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/check?a=b`, requests, sockets: () => sockets };
}

/** A directory that is closed when the test ends. */
function connect(t: Test, options: Parameters<typeof createUpstreamDirectory>[0]) {
  const directory = createUpstreamDirectory(options);
  t.teardown(() => directory.close());
  return directory;
}

const json =
  (status: number, answer: unknown): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  };

const bob = { username: 'Bob', phone: '+15550100101' };

/** Everything that an error could tell, causes and hidden properties included. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = Object.getOwnPropertyNames(error).map((name) =>
    String((error as unknown as Record<string, unknown>)[name]),
  );
  return [...own, everythingIn(error.cause)].join('\n');
}

directoryContract(t, 'the upstream directory', async (t) => {
  const { url } = await fakeUpstream(t, (request, response, body) => {
    const { username, password } = JSON.parse(body);
    const right = foldUsername(username) === 'bob' && password === 'correct horse';
    json(right ? 200 : 401, { ...bob, locale: 'de' })(request, response, body);
  });
  return {
    directory: connect(t, { url }),
    username: 'Bob',
    password: 'correct horse',
    user: { ...bob, locale: 'de' },
  };
});

t.test('the upstream is asked in JSON, as it was typed, with the token', async (t) => {
  const upstream = await fakeUpstream(t, json(200, bob));
  await connect(t, { url: upstream.url, token: 's3cret-token' }).authenticate('ＢＯＢ', 'pass "word"');
  t.match(upstream.requests, [
    {
      method: 'POST',
      url: '/check?a=b',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        authorization: 'Bearer s3cret-token',
      },
    },
  ]);
  t.strictSame(JSON.parse(upstream.requests[0]?.body ?? ''), { username: 'ＢＯＢ', password: 'pass "word"' });
});

t.test('the trace of the request is passed on', async (t) => {
  const upstream = await fakeUpstream(t, json(200, bob));
  const directory = connect(t, { url: upstream.url });
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  await directory.authenticate('bob', 'x', { requestId: '1', traceparent, tracestate: 'rojo=1' });
  await directory.authenticate('bob', 'x', { requestId: '1' });
  t.match(upstream.requests[0]?.headers, { traceparent, tracestate: 'rojo=1' });
  t.notOk('traceparent' in (upstream.requests[1]?.headers ?? {}));
});

t.test('without a token no authorization is sent', async (t) => {
  const upstream = await fakeUpstream(t, json(200, bob));
  await connect(t, { url: upstream.url }).authenticate('bob', 'x');
  t.notOk('authorization' in (upstream.requests[0]?.headers ?? {}));
});

t.test('an empty name or password is never put to the upstream, which may take it for anonymous', async (t) => {
  const upstream = await fakeUpstream(t, json(200, bob));
  const directory = connect(t, { url: upstream.url });
  t.equal(await directory.authenticate('bob', ''), null);
  t.equal(await directory.authenticate('', 'x'), null);
  t.equal(upstream.requests.length, 0);
});

t.test(
  'a name with characters that no name can contain is not sent to the upstream, which may cut it there',
  async (t) => {
    const upstream = await fakeUpstream(t, json(200, bob));
    const directory = connect(t, { url: upstream.url });
    for (const name of [
      'bob\0x',
      '\0bob',
      'bob\n',
      'b\tob',
      'bob\u007f',
      'bob\u0085',
      'bob\ud800',
      '\udc00bob',
      'bob\u{50005}',
      'bob\uffff',
    ]) {
      t.equal(await directory.authenticate(name, 'x'), null, JSON.stringify(name));
    }
    t.equal(upstream.requests.length, 0);
    t.strictSame(await directory.authenticate('ボブ 🅱\u200d\ue000', 'x'), bob);
  },
);

t.test('of the answer only the fields of a user are taken', async (t) => {
  const { url } = await fakeUpstream(t, json(200, { ...bob, admin: true, passwordHash: 'x' }));
  t.strictSame(await connect(t, { url }).authenticate('bob', 'x'), bob);
});

t.test('401, 403 and 404 say no', async (t) => {
  for (const status of [401, 403, 404]) {
    const { url } = await fakeUpstream(t, json(status, bob));
    t.equal(await connect(t, { url }).authenticate('bob', 'x'), null, String(status));
  }
});

t.test('a refusal whose text never ends is still a refusal', async (t) => {
  const { url } = await fakeUpstream(t, (_request, response) => {
    response.writeHead(401).write('x');
  });
  t.equal(await connect(t, { url, timeoutMs: 5000 }).authenticate('bob', 'x'), null);
});

t.test('any other answer is no answer, and its cause holds no secret', async (t) => {
  let elsewhere = 0;
  const other = await fakeUpstream(t, (request, response, body) => {
    elsewhere += 1;
    json(200, bob)(request, response, body);
  });
  const body =
    (status: number, content: string | Buffer): Answer =>
    (_request, response) => {
      response.writeHead(status).end(content);
    };
  const cases: [name: string, answer: Answer, cause: RegExp][] = [
    ['500', json(500, bob), /^User directory: the answer has status 500$/],
    ['503', body(503, 'x'.repeat(200_000)), /status 503$/],
    ['201', json(201, bob), /status 201$/],
    ['204', body(204, ''), /status 204$/],
    ['400', json(400, bob), /status 400$/],
    ['429', json(429, bob), /status 429$/],
    [
      '302',
      (_request, response) => {
        response.writeHead(302, { location: other.url }).end();
      },
      /status 302$/,
    ],
    [
      '307',
      (_request, response) => {
        response.writeHead(307, { location: other.url }).end();
      },
      /status 307$/,
    ],
    ['nothing', body(200, ''), /is not JSON$/],
    ['garbage', body(200, 'my-password <html>'), /is not JSON$/],
    ['half', body(200, '{"username":"bob"'), /is not JSON$/],
    ['null', json(200, null), /is not a JSON object$/],
    ['a list', json(200, [bob]), /is not a JSON object$/],
    ['no phone', json(200, { username: 'Bob' }), /in the answer, phone must be /],
    ['a bad phone', json(200, { ...bob, phone: '0555' }), /in the answer, phone must be /],
    ['a number as phone', json(200, { ...bob, phone: 15550100101 }), /in the answer, phone must be /],
    ['a bad name', json(200, { ...bob, username: 'a\nb' }), /in the answer, username must be /],
    ['a bad locale', json(200, { ...bob, locale: null }), /in the answer, locale must be /],
    ['all wrong', json(200, {}), /in the answer, username must be .*; phone must be /],
    ['too big', body(200, Buffer.alloc(64 * 1024 + 1, ' ')), /is longer than 65536 bytes$/],
    ['endless', endless, /is longer than 65536 bytes$/],
    ['hang up', (request) => request.socket.destroy(), /^User directory: request failed \(UND_ERR_SOCKET\)$/],
    ['no HTTP', (request) => request.socket.end('my-password my-token\r\n\r\n'), /request failed \(HTTPParserError\)$/],
  ];
  for (const [name, answer, message] of cases) {
    const { url } = await fakeUpstream(t, answer);
    const directory = connect(t, { url, token: 'my-token' });
    try {
      await directory.authenticate('bob', 'my-password');
      t.fail(name);
    } catch (error) {
      t.match(error, { code: 'directory_unavailable', status: 503, retryAfterSeconds: 5, cause: { message } }, name);
      t.notMatch(everythingIn(error), /my-(token|password)/, name);
    }
  }
  t.equal(elsewhere, 0, 'no redirect was followed');
});

/** A 200 that goes on for as long as it is read. */
function endless(_request: IncomingMessage, response: ServerResponse): void {
  const more = () => {
    while (response.write(' '.repeat(4096))) {}
  };
  response.writeHead(200).on('drain', more);
  more();
}

t.test('an answer just within the limit is read', async (t) => {
  const user = JSON.stringify(bob);
  const { url } = await fakeUpstream(t, (_request, response) => {
    response.writeHead(200).end(user.padEnd(64 * 1024));
  });
  t.strictSame(await connect(t, { url }).authenticate('bob', 'x'), bob);
});

t.test('an upstream that does not answer in time is unavailable', async (t) => {
  for (const [name, answer] of [
    ['no word', () => {}],
    ['no end', (_request, response) => void response.writeHead(200).write('{')],
    ['no end of an error', (_request, response) => void response.writeHead(500).write('{')],
  ] as [string, Answer][]) {
    const { url } = await fakeUpstream(t, answer);
    await t.rejects(
      connect(t, { url, timeoutMs: 50 }).authenticate('bob', 'x'),
      {
        code: 'directory_unavailable',
        cause: { message: /^User directory: (no answer within 50 ms|the answer has status 500)$/ },
      },
      name,
    );
  }
});

t.test('an upstream that refuses the connection is unavailable', async (t) => {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  await t.rejects(connect(t, { url: `http://127.0.0.1:${port}/` }).authenticate('bob', 'x'), {
    code: 'directory_unavailable',
    retryAfterSeconds: 5,
    cause: { message: 'User directory: request failed (ECONNREFUSED)' },
  });
});

t.test('through a proxy: its failures are named, and one that hangs does not outlast the timeout', async (t) => {
  const upstream = await fakeUpstream(t, json(200, bob));
  const proxy = await startHttpProxy(t);
  const url = new URL(proxy.url);
  const proxies = { ...noProxies, http: url, https: url };
  t.match(await connect(t, { url: upstream.url, proxies }).authenticate('bob', 'x'), bob);
  t.strictSame(proxy.forwarded, [upstream.url]);
  const tunnelled = upstream.url.replace('http:', 'https:');
  for (const [behaviour, message] of [
    [407, 'User directory: the proxy passed nothing on (http_407)'],
    [502, 'User directory: the proxy passed nothing on (http_502)'],
    ['hang', 'User directory: no answer within 50 ms'],
  ] as const) {
    proxy.behave(behaviour);
    const directory = connect(t, { url: tunnelled, proxies, timeoutMs: behaviour === 'hang' ? 50 : 60_000 });
    await t.rejects(directory.authenticate('bob', 'x'), { code: 'directory_unavailable', cause: { message } });
  }
  t.equal(upstream.requests.length, 1);
});

t.test('a token that is no header value makes the upstream unavailable, and is not told', async (t) => {
  const { url } = await fakeUpstream(t, json(200, bob));
  const answer = connect(t, { url, token: 'my\ntoken' }).authenticate('bob', 'x');
  const error = await answer.catch((error: unknown) => error);
  t.match(error, { code: 'directory_unavailable', cause: { message: /UND_ERR_INVALID_ARG/ } });
  t.notMatch(everythingIn(error), /my\ntoken/);
});

t.test('one connection serves one request after the other, whatever the answers', async (t) => {
  const statuses = [200, 401, 403, 404, 500, 302, 200, 204, 429, 200];
  let next = 0;
  const upstream = await fakeUpstream(t, (request, response, body) => {
    const status = statuses[next++] ?? 200;
    json(status, bob)(request, response, body);
  });
  const directory = connect(t, { url: upstream.url });
  for (const _ of statuses) {
    await directory.authenticate('bob', 'x').catch(() => null);
    await setImmediate(); // undici frees a connection one turn of the event loop after the answer
  }
  t.equal(upstream.requests.length, statuses.length);
  t.equal(upstream.sockets(), 1);
});

t.test('a closed directory has closed its connections', async (t) => {
  const upstream = await fakeUpstream(t, json(200, bob));
  const directory = createUpstreamDirectory({ url: upstream.url });
  await directory.authenticate('bob', 'x');
  await directory.close();
  await t.rejects(directory.authenticate('bob', 'x'), { code: 'directory_unavailable' });
});

t.test('a lookup that meets idle connections just when they are closed is repeated on a new one', async (t) => {
  for (const end of ['destroy', 'resetAndDestroy'] as const) {
    const served = new Map<object, number>();
    const upstream = await fakeUpstream(t, (request, response, body) => {
      const { socket } = request;
      served.set(socket, (served.get(socket) ?? 0) + 1);
      if ((served.get(socket) ?? 0) > 1) socket[end]();
      else json(200, bob)(request, response, body);
    });
    const directory = connect(t, { url: upstream.url });
    // Three idle connections, of which a repeated request may meet any.
    await Promise.all(['a', 'b', 'c'].map((name) => directory.authenticate(name, 'x')));
    await setImmediate();
    t.strictSame(await directory.authenticate('bob', 'x'), bob, end);
  }
});

t.test('a lookup on a new connection is never repeated', async (t) => {
  for (const end of ['destroy', 'resetAndDestroy'] as const) {
    const upstream = await fakeUpstream(t, ({ socket }) => socket[end]());
    await t.rejects(connect(t, { url: upstream.url }).authenticate('bob', 'x'), { code: 'directory_unavailable' });
    t.equal(upstream.requests.length, 1, end);
  }
});

t.test('connections that were handed over stay open', async (t) => {
  const upstream = await fakeUpstream(t, json(200, bob));
  const dispatcher = new Agent();
  t.teardown(() => dispatcher.close());
  const directory = createUpstreamDirectory({ url: upstream.url, dispatcher });
  await directory.authenticate('bob', 'x');
  await directory.close();
  await setImmediate();
  t.strictSame(await directory.authenticate('bob', 'x'), bob);
  t.equal(upstream.sockets(), 1);
});
