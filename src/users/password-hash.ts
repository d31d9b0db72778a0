import { parseOptions } from '@node-rs/argon2';

/** What an argon2 hash costs to compute, and so how long a check takes (RFC 9106 §3.1). */
export interface HashParameters {
  /** `m`, in KiB. */
  readonly memoryKib: number;
  /** `t`. */
  readonly passes: number;
  /** `p`. */
  readonly lanes: number;
}

/** Argon2id as the OWASP Password Storage Cheat Sheet recommends it. */
export const ownParameters: HashParameters = { memoryKib: 19_456, passes: 2, lanes: 1 };

/**
 * The most that a hash may ask for. Argon2 allocates what the hash says: without an end, one line of the users file
 * (`m=4000000000`) has the kernel kill the whole process at the first login. 1 GiB is libsodium's "sensitive".
 */
export const parameterLimits: HashParameters = { memoryKib: 1_048_576, passes: 32, lanes: 16 };

/** PHC string format, with the members in the one order that the argon2 reference prints. */
const phc = /^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/;

/**
 * The cost of an argon2id PHC string, `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
 *
 * @returns null when it is not one, or asks for more than {@link parameterLimits}
 */
export function readParameters(hash: string): HashParameters | null {
  if (!phc.test(hash)) return null;
  try {
    // The library has the last word: it knows the minimum costs and the lengths of salt and hash.
    const { memoryCost, timeCost, parallelism } = parseOptions(hash);
    const tooMuch =
      memoryCost > parameterLimits.memoryKib ||
      timeCost > parameterLimits.passes ||
      parallelism > parameterLimits.lanes;
    return tooMuch ? null : { memoryKib: memoryCost, passes: timeCost, lanes: parallelism };
  } catch {
    return null;
  }
}
