import type { RandomBytes } from '../challenge/totp.ts';
import type { Events } from '../events.ts';
import type { Policy } from '../limits/policy.ts';
import type { SendPorts } from '../send-code.ts';
import type { Directory } from '../users/directory.ts';

/** Numbers that the sign-in goes by. */
export interface SignInSettings {
  /** Life of a code, seconds. */
  readonly otpTtlSeconds: number;
  readonly otpDigits: number;
  readonly otpAttempts: number;
  /** How long an accepted password is good for, seconds. */
  readonly loginTtlSeconds: number;
  readonly sessionTtlSeconds: number;
}

/** Everything that the sign-in needs from the outside. */
export interface SignInPorts extends SendPorts {
  readonly directory: Directory;
  readonly policy: Policy;
  readonly random: RandomBytes;
  readonly events: Events;
  readonly settings: SignInSettings;
}
