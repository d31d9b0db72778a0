import type { Attack } from '../attack.ts';
import { accountLock } from './account-lock.ts';
import { appAssertion } from './app-assertion.ts';
import { appCookies } from './app-cookies.ts';
import { appIdentity } from './app-identity.ts';
import { bruteForce } from './brute-force.ts';
import { cookieRollback } from './cookie-rollback.ts';
import { cookieSwap } from './cookie-swap.ts';
import { crossSite } from './cross-site.ts';
import { expiredCode } from './expired-code.ts';
import { foreignCookies } from './foreign-cookies.ts';
import { headerSpoofing } from './header-spoofing.ts';
import { malformedInput } from './malformed-input.ts';
import { messageLimit } from './message-limit.ts';
import { openRedirect } from './open-redirect.ts';
import { parallelGuesses } from './parallel-guesses.ts';
import { passwordGuessing } from './password-guessing.ts';
import { plantedCookies } from './planted-cookies.ts';
import { race } from './race.ts';
import { replacedCode } from './replaced-code.ts';
import { replay } from './replay.ts';
import { secondFactorSkipped } from './second-factor.ts';
import { sendBombing } from './send-bombing.ts';
import { signedOut } from './signed-out.ts';
import { toldSecrets } from './told-secrets.ts';
import { upgradeSmuggling } from './upgrade-smuggling.ts';
import { enumerationByBytes, enumerationByTime } from './user-enumeration.ts';

/**
 * Every attack, in an order that needs five codes, which is what a phone is sent in ten minutes, half a minute apart:
 *
 * 1. one that nobody types, until it has expired;
 * 2. one that is guessed at, which leaves five wrong codes in a row, of the ten that lock an account;
 * 3. one that signs in, which ends that row, and gives a session to play with;
 * 4. and 5. one that is replaced by another, which signs in again, for a second session.
 *
 * Wrong passwords come last: who runs all of it again gets to the end before the name has none left.
 */
export const attacks: readonly Attack[] = [
  sendBombing,
  secondFactorSkipped,
  foreignCookies,
  malformedInput,
  crossSite,
  headerSpoofing,
  bruteForce,
  cookieRollback,
  parallelGuesses,
  race,
  replay,
  cookieSwap,
  openRedirect,
  upgradeSmuggling,
  appCookies,
  appAssertion,
  appIdentity,
  signedOut,
  expiredCode,
  replacedCode,
  plantedCookies,
  messageLimit,
  accountLock,
  passwordGuessing,
  enumerationByBytes,
  enumerationByTime,
  toldSecrets,
];
