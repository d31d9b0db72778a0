import type { RandomBytes } from '../challenge/totp.ts';
import type { Clock } from '../clock.ts';
import type { Channel, Message, Receipt } from '../delivery/sender.ts';
import type { Policy } from '../limits/policy.ts';
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

/** What a message is made of, before it has words. */
export type Outgoing = Omit<Message, 'text'>;

/** Everything that the sign-in needs from the outside. */
export interface SignInPorts {
  readonly directory: Directory;
  readonly policy: Policy;
  readonly delivery: {
    readonly channels: readonly Channel[];
    /**
     * @throws DoorcodeError `delivery_failed` when no sender accepted, `delivery_rejected` when none ever will
     */
    deliver(message: Message): Promise<Receipt>;
  };
  /** Puts a code into words. */
  readonly compose: (outgoing: Outgoing) => Message;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly settings: SignInSettings;
}
