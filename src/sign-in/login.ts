import { draft } from '../challenge/challenge.ts';
import { DoorcodeError } from '../errors.ts';
import { assertChannel, type Issued, issue } from './issue.ts';
import type { SignInPorts } from './ports.ts';

export interface LoginInput {
  readonly username: string;
  readonly password: string;
  readonly channel: 'sms' | 'voice';
  /** Already made safe. */
  readonly next: string;
  /** Language for a user whose directory entry names none. */
  readonly locale: string;
}

/**
 * The first factor: password, account lock, send limits, then a code on its way.
 *
 * @throws DoorcodeError `invalid_credentials` for an unknown user, a wrong password and a locked account alike, and
 *   whatever {@link issue} and the directory throw
 */
export async function login(ports: SignInPorts, input: LoginInput): Promise<Issued> {
  const { clock, directory, policy, random, settings } = ports;
  assertChannel(ports, input.channel);
  const user = await directory.authenticate(input.username, input.password);
  if (user === null) throw new DoorcodeError('invalid_credentials');
  try {
    await policy.assertUnlocked(user.username);
  } catch (error) {
    // That a password is right is not told while its account is locked.
    if (error instanceof DoorcodeError && error.code === 'account_locked') {
      throw new DoorcodeError('invalid_credentials');
    }
    throw error;
  }
  return issue(ports, draft(random, settings.otpDigits), {
    sub: user.username,
    phone: user.phone,
    locale: user.locale ?? input.locale,
    channel: input.channel,
    loginAt: Math.floor(clock() / 1000),
    next: input.next,
  });
}
