import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The `X-Doorcode-Signature` header of a request: `t=UNIX,v1=HEX`, where HEX is HMAC-SHA-256 (RFC 2104) over
 * `UNIX.BODY`. The time is signed with the body so that a request cannot be kept and sent again later.
 *
 * @param body the exact bytes of the request, as text
 * @param unixSeconds when the request was made
 */
export function sign(body: string, secret: string, unixSeconds: number): string {
  return `t=${unixSeconds},v1=${digest(body, secret, String(unixSeconds)).toString('hex')}`;
}

/**
 * For receivers: whether the request came from someone who holds the secret, lately. Check it on the raw body, before
 * parsing: JSON that was parsed and written again is not the same bytes. Takes the same time whichever digit differs.
 *
 * Within the tolerance a request can be replayed; a receiver that minds keeps the signatures of the last minutes.
 *
 * @param header the header's value; undefined when there is none
 * @param body the request's body as it arrived
 * @param nowSeconds Unix seconds
 * @param toleranceSeconds how far the two clocks, and the way, may lie apart; to either side
 */
export function verifySignature(
  header: string | undefined,
  body: string | Uint8Array,
  secret: string,
  nowSeconds: number,
  toleranceSeconds = 300,
): boolean {
  const [, time, mac] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(header ?? '') ?? [];
  if (time === undefined || mac === undefined) return false;
  if (Math.abs(nowSeconds - Number(time)) > toleranceSeconds) return false;
  return timingSafeEqual(digest(body, secret, time), Buffer.from(mac, 'hex'));
}

function digest(body: string | Uint8Array, secret: string, time: string): Buffer {
  return createHmac('sha256', secret).update(`${time}.`).update(body).digest();
}
