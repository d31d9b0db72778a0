import type { RandomBytes } from '../challenge/totp.ts';
import type { Events } from '../events.ts';
import type { Policy } from '../limits/policy.ts';
import type { SendPorts } from '../send-code.ts';
import type { TestNumbers } from './test-numbers.ts';

/** Numbers that verifications go by. */
export interface VerificationSettings {
  /** Life of a code, seconds. */
  readonly otpTtlSeconds: number;
  readonly otpDigits: number;
  readonly otpAttempts: number;
  /** How long after it was first asked for a verification may be resent, seconds. */
  readonly loginTtlSeconds: number;
}

/** Everything that verifications need from the outside. */
export interface VerificationPorts extends SendPorts {
  readonly policy: Policy;
  readonly random: RandomBytes;
  readonly events: Events;
  readonly settings: VerificationSettings;
  readonly testNumbers: TestNumbers;
  /** Whether a number has the right length for its country. @param e164Number E.164 */
  readonly isPossible: (e164Number: string) => Promise<boolean>;
  /** The number that wrong codes are counted for, which all spellings of one number share. Both are E.164. */
  readonly countedNumber: (e164Number: string) => Promise<string>;
}
