import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import t from 'tap';
import { MAX_BODY_BYTES, readBody, send, sendHalf } from '../../src/phone-simulator/wire.ts';

const body = (...chunks: Buffer[]) => readBody(Readable.from(chunks) as IncomingMessage);

function written() {
  const seen: unknown[] = [];
  const response = {
    writeHead: (...head: unknown[]) => {
      seen.push(head);
      return response;
    },
    write: (text: string) => seen.push(text),
    end: (text: string) => seen.push(text, 'end'),
  };
  return { seen, response: response as unknown as ServerResponse };
}

t.test('a body is read to its end, characters that are split among them', async (t) => {
  const [one, ...others] = [...Buffer.from('é').values()].map((byte) => Buffer.from([byte]));
  t.equal(await body(Buffer.from('Zo'), one ?? Buffer.alloc(0), ...others), 'Zoé');
  t.equal(await body(), '');
});

t.test('one that is too large is nothing, but is read as well', async (t) => {
  t.equal((await body(Buffer.alloc(MAX_BODY_BYTES, 'a')))?.length, MAX_BODY_BYTES);
  t.equal(await body(Buffer.alloc(MAX_BODY_BYTES, 'a'), Buffer.from('b')), null);
});

t.test('objects are sent as JSON, text as HTML', async (t) => {
  const json = written();
  send(json.response, { status: 201, body: { sid: 'one' }, headers: { 'retry-after': '1' } });
  const headers = { 'content-type': 'application/json; charset=utf-8', 'retry-after': '1' };
  t.strictSame(json.seen, [[201, headers], '{"sid":"one"}', 'end']);
  const html = written();
  send(html.response, { status: 500, body: '<p>' });
  t.strictSame(html.seen, [[500, { 'content-type': 'text/html; charset=utf-8' }], '<p>', 'end']);
});

t.test('half an answer promises the whole and never ends', async (t) => {
  const { seen, response } = written();
  sendHalf(response, { status: 201, body: { sid: 'one' } });
  t.strictSame(seen, [[201, { 'content-type': 'application/json; charset=utf-8', 'content-length': 13 }], '{"sid"']);
});
