import { randomBytes } from 'node:crypto';
import { type HashParameters, ownParameters, readParameters } from './password-hash.ts';

/**
 * The hash that an unknown user's password is checked against, so that the answer takes as long as for a known one.
 * Salt and hash are random bytes: nobody, we included, knows a password for it, and it costs nothing to make.
 */
export function decoyHash({ memoryKib, passes, lanes }: HashParameters = ownParameters): string {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${unpadded(randomBytes(16))}$${unpadded(randomBytes(32))}`;
}

/** PHC strings carry base64 without padding. */
function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/**
 * The parameters of each kind of hash in the list, the most common kind first. More than one kind means that the time
 * of an answer tells some known users from unknown ones.
 *
 * @param hashes argon2id PHC strings; what is not one is passed over
 */
export function kindsOfHash(hashes: Iterable<string>): HashParameters[] {
  const kinds = new Map<string, { parameters: HashParameters; count: number }>();
  for (const hash of hashes) {
    const parameters = readParameters(hash);
    if (parameters === null) continue;
    const key = JSON.stringify(parameters);
    const kind = kinds.get(key) ?? { parameters, count: 0 };
    kind.count += 1;
    kinds.set(key, kind);
  }
  return [...kinds.values()].sort((a, b) => b.count - a.count).map(({ parameters }) => parameters);
}
