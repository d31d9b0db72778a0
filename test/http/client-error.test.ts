import { connect, type Socket } from 'node:net';
import t from 'tap';
import type { DoorcodeEvent } from '../../src/events.ts';
import { createClientErrorHandler } from '../../src/http/client-error.ts';
import { createLogger } from '../../src/http/logging.ts';
import { testApp } from '../support/build-app.ts';

/** A socket that remembers. */
function fakeSocket({ writable = true } = {}) {
  const seen = { text: '', ended: false, destroyed: false };
  const socket = {
    writable,
    end: (text: string) => Object.assign(seen, { text, ended: true }),
    destroy: () => Object.assign(seen, { destroyed: true }),
  };
  return { seen, socket: socket as unknown as Socket };
}

/** The handler, and what it leaves behind. */
function handler() {
  const events: DoorcodeEvent[] = [];
  const observed: unknown[][] = [];
  const lines: string[] = [];
  let nowMs = 0;
  let ids = 0;
  const answerClientError = createClientErrorHandler({
    events: (event) => void events.push(event),
    observe: (...request) => void observed.push(request),
    log: createLogger({ level: 'warn', destination: { write: (line) => void lines.push(line) } }),
    newRequestId: () => {
      ids += 1;
      return `run-${ids}`;
    },
    now: () => nowMs,
  });
  const advance = (ms: number) => {
    nowMs += ms;
  };
  return { answerClientError, events, observed, lines, advance };
}

const coded = (code?: string) => Object.assign(new Error('482915'), code === undefined ? {} : { code });

t.test('what the parser refuses is answered by what was wrong with it', async (t) => {
  const table: [string | undefined, number, RegExp][] = [
    ['HPE_HEADER_OVERFLOW', 431, /headers are too large/],
    ['ERR_HTTP_REQUEST_TIMEOUT', 408, /too slowly/],
    ['HPE_INVALID_METHOD', 400, /Invalid request/],
    ['HPE_UNEXPECTED_CONTENT_LENGTH', 400, /Invalid request/],
    [undefined, 400, /Invalid request/],
  ];
  const { answerClientError, events, observed } = handler();
  for (const [code, status, title] of table) {
    const { seen, socket } = fakeSocket();
    answerClientError(coded(code), socket);
    const name = String(code);
    const [head = '', body = ''] = seen.text.split('\r\n\r\n');
    t.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), name);
    t.match(head, /\r\nContent-Type: application\/problem\+json\r\n/, name);
    t.match(head, /\r\nCache-Control: no-store\r\n/, name);
    t.match(head, /\r\nConnection: close$/, name);
    t.match(head, `\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`, name);
    t.match(JSON.parse(body), { status, code: 'invalid_request', title }, name);
    t.notMatch(seen.text, '482915', 'nothing of the error is told');
    t.strictSame([seen.ended, seen.destroyed], [true, false], name);
  }
  t.strictSame(
    events,
    table.map((_, index) => ({
      type: 'refused',
      outcome: 'invalid_request',
      trace: { requestId: `run-${index + 1}` },
    })),
  );
  t.strictSame(
    observed,
    table.map(([, status]) => ['none', 'none', status, 0]),
  );
});

t.test('however many there are, the log has one line in ten seconds, with their number', async (t) => {
  const { answerClientError, lines, advance } = handler();
  const refuse = (code: string) => answerClientError(coded(code), fakeSocket().socket);
  refuse('ERR_HTTP_REQUEST_TIMEOUT');
  advance(9999);
  refuse('ERR_HTTP_REQUEST_TIMEOUT');
  refuse('HPE_INVALID_METHOD');
  t.equal(lines.length, 1);
  advance(1);
  refuse('HPE_HEADER_OVERFLOW');
  const told = lines.map((line) => JSON.parse(line));
  t.match(told, [
    { level: 40, event: 'sys_unreadable', status: 408, refused: 1 },
    { level: 40, event: 'sys_unreadable', status: 431, refused: 3 },
  ]);
  t.equal(told.length, 2);
  t.notMatch(lines.join(''), '482915');
});

t.test('nobody is there to be answered', async (t) => {
  const { answerClientError, events, observed, lines } = handler();
  const gone = fakeSocket({ writable: false });
  answerClientError(coded('HPE_INVALID_METHOD'), gone.socket);
  t.match(gone.seen, { text: '', destroyed: true });
  const reset = fakeSocket();
  answerClientError(coded('ECONNRESET'), reset.socket);
  t.match(reset.seen, { text: '', destroyed: true });
  t.strictSame([events, observed, lines], [[], [], []], 'and nothing was refused');
});

t.test('over a real connection', async (t) => {
  const events: DoorcodeEvent[] = [];
  const { app, logs } = await testApp({ ports: { events: (event) => void events.push(event) } });
  t.teardown(() => app.close());
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));

  /** Everything that comes back until the server closes the connection. */
  const exchange = (text: string) =>
    new Promise<string>((resolve, reject) => {
      let answer = '';
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
      socket.setEncoding('utf8');
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });

  const post = 'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const refused: Record<string, [string, number]> = {
    'a header of 17 KiB': [`GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(17 * 1024)}\r\n\r\n`, 431],
    'a cookie of 17 KiB': [
      `POST /otp HTTP/1.1\r\nHost: x\r\nCookie: doorcode-challenge=${'x'.repeat(17 * 1024)}\r\n\r\n`,
      431,
    ],
    'an address of 17 KiB': [`GET /${'x'.repeat(17 * 1024)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    'garbage 482915': ['482915\u0000\u0001\u0002\r\n\r\n', 400],
    'a TLS handshake': ['\u0016\u0003\u0001\u0000\u0001', 400],
    'a method that does not exist': ['OPEN /482915 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    'another protocol': ['GET / SPDY/3\r\n\r\n', 400],
    'two lengths': [`${post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400],
    'a length and chunks': [`${post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    'a chunk of no length': [`${post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, 400],
    'a header line that is folded': ['GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\u0000\r\n\r\n', 400],
  };
  for (const [name, [text, status]] of Object.entries(refused)) {
    const answer = await exchange(text);
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), name);
    t.match(answer, /\r\nContent-Type: application\/problem\+json\r\n/, name);
    t.match(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''), { status, code: 'invalid_request' }, name);
    t.notMatch(answer, '482915', name);
  }
  // A broken chunk comes after the head: that one had become a request, which is told of as well.
  t.ok(events.length >= Object.keys(refused).length, 'each is an event');
  t.ok(events.every((event) => event.type === 'refused' && event.outcome === 'invalid_request'));
  const ids = events.map((event) => event.type === 'refused' && event.trace.requestId);
  t.equal(new Set(ids).size, events.length, 'with an id of its own');
  t.equal(logs.filter((line) => line.includes('"sys_unreadable"')).length, 1);
  t.notMatch(logs.filter((line) => JSON.parse(line).level >= 30).join(''), '482915');
  t.match(await exchange('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 200 /);
});

t.test('a request whose head only trickles in is answered at its time, and not half a minute later', async (t) => {
  const { app } = await testApp();
  t.teardown(() => app.close());
  t.equal(app.server.requestTimeout, 10_000);
  app.server.requestTimeout = 200;
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('GET /healthz HTTP/1.1\r\n');
  const trickle = setInterval(() => socket.write('X-A: b\r\n'), 50);
  t.teardown(() => clearInterval(trickle));
  let answer = '';
  for await (const chunk of socket.setEncoding('latin1')) answer += chunk;
  t.match(answer, /^HTTP\/1\.1 408 /);
  // Node checks only every 30 s by default.
  t.match(app.server, { connectionsCheckingInterval: 1000 });
});

t.test('a body that only trickles in is refused as well, whatever comes before it on the connection', async (t) => {
  const { app } = await testApp();
  t.teardown(() => app.close());
  // Node applies the longer of the two limits to the body.
  t.ok(app.server.headersTimeout <= app.server.requestTimeout);
  app.server.requestTimeout /= 50;
  app.server.headersTimeout /= 50;
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const head = 'POST /otp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const starts: Record<string, string> = {
    'with a length': `${head}Content-Length: 900\r\n\r\n`,
    'in chunks': `${head}Transfer-Encoding: chunked\r\n\r\n384\r\n`,
    'after Expect: 100-continue': `${head}Expect: 100-continue\r\nContent-Length: 900\r\n\r\n`,
    'second on its connection': `GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n${head}Content-Length: 900\r\n\r\n`,
    'to a route that does not exist': `${head.replace('/otp', '/none')}Content-Length: 900\r\n\r\n`,
    'for a caller without an API key': `${head.replace('/otp', '/verifications')}Content-Length: 900\r\n\r\n`,
    'although it is too large': `${head}Content-Length: 9000000\r\n\r\n`,
  };
  const sent = Object.entries(starts).map(async ([name, start]) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(start);
    let bytes = 0;
    const trickle = setInterval(() => {
      bytes += 1;
      socket.write(' ');
    }, 20);
    for await (const _ of socket);
    clearInterval(trickle);
    t.ok(bytes < 900, `${name}: closed before the body was complete`);
  });
  await Promise.all(sent);
});
