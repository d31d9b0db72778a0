import type { Assertions } from '../gateway/assertion.ts';
import { amrOf } from '../session/session.ts';
import type { Verification } from './verification.ts';

/** The kind of token that a receipt is, so that nobody takes it for a sign-in (RFC 8725 §3.11). */
export const RECEIPT_TYPE = 'doorcode-receipt+jwt';

/**
 * A statement, for whomever the caller shows it to, that a number was proved: `sub` is the number, `azp` the name of the
 * API key that asked, `jti` what tells it apart. Of a test number, to which nothing was sent, `amr` says just that.
 */
export function signReceipt(
  assertions: Assertions,
  { id: jti, key: azp, phone: sub, channel, test }: Verification,
  nowMs: number,
): Promise<string> {
  const claims = { sub, amr: test ? ['test'] : amrOf(channel), authTime: Math.floor(nowMs / 1000), jti, azp };
  return assertions.sign(claims, undefined, RECEIPT_TYPE);
}
