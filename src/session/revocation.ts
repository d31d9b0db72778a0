import type { Limits } from '../limits/limits.ts';

/** Sessions that ended before their time. A sealed cookie cannot be taken back, so its id is remembered instead. */
export interface Revocation {
  /** @param untilSeconds Unix seconds at which the session would have ended by itself */
  revoke(sessionId: string, untilSeconds: number, nowMs: number): Promise<void>;
  isRevoked(sessionId: string): Promise<boolean>;
}

/** Remembers revoked sessions in the limit store, each for as long as its cookie could still be put back. */
export function createRevocation(limits: Limits): Revocation {
  return {
    async revoke(sessionId, untilSeconds, nowMs) {
      const leftSeconds = Math.ceil(untilSeconds - nowMs / 1000);
      if (leftSeconds > 0) await limits.claim('revoked', sessionId, leftSeconds);
    },
    async isRevoked(sessionId) {
      return (await limits.read('revoked', sessionId)).count > 0;
    },
  };
}
