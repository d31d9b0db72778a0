import { createHash, timingSafeEqual } from 'node:crypto';
import { foldUsername } from '../username.ts';
import type { Directory, User } from './directory.ts';

/** The phone number is of the range that is kept free for fiction. */
export const DEMO_USER: User = { username: 'demo', phone: '+15550100100' };
const demoPassword = 'demo';

/** The one user `demo` with the password `demo`, so that development needs no setup. Never for production. */
export function createDemoDirectory(): Directory {
  return {
    async authenticate(username, password) {
      const rightName = equals(foldUsername(username), DEMO_USER.username);
      const rightPassword = equals(password, demoPassword);
      return rightName && rightPassword ? DEMO_USER : null;
    },
  };
}

/** In constant time: of digests, which are of one length whatever was typed. */
function equals(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
