import { draft } from '../challenge/challenge.ts';
import { DoorcodeError } from '../errors.ts';
import { assertChannel } from '../send-code.ts';
import { type Issued, issue } from './issue.ts';
import type { SignInPorts } from './ports.ts';

export interface LoginInput {
  readonly username: string;
  readonly password: string;
  /** Of the client. */
  readonly address: string;
  readonly channel: 'sms' | 'voice';
  /** Already made safe. */
  readonly next: string;
  /** Language for a user whose directory entry names none. */
  readonly locale: string;
}

/**
 * The first factor: password, account lock, send limits, then a code on its way.
 *
 * @throws DoorcodeError `invalid_credentials` for an unknown user, a wrong password and a locked account alike,
 *   `too_many_requests` after too many wrong passwords, and whatever {@link issue} and the directory throw
 */
export async function login(ports: SignInPorts, input: LoginInput): Promise<Issued> {
  const { clock, random, settings } = ports;
  assertChannel(ports, input.channel);
  const user = await authenticate(ports, input);
  return issue(
    ports,
    draft(random, settings.otpDigits),
    {
      sub: user.username,
      phone: user.phone,
      locale: user.locale ?? input.locale,
      channel: input.channel,
      loginAt: Math.floor(clock() / 1000),
      next: input.next,
    },
    input.address,
  );
}

async function authenticate({ directory, policy }: SignInPorts, { username, password, address }: LoginInput) {
  const attempt = await policy.password(username, address);
  const user = await directory.authenticate(username, password).catch(async (error: unknown) => {
    // Nothing was learned about the password.
    await attempt.giveBack();
    throw error;
  });
  if (user === null) throw new DoorcodeError('invalid_credentials');
  // That a password is right is not told while its account is locked, so it counts like a wrong one, too.
  if (await isLocked(policy, user.username)) throw new DoorcodeError('invalid_credentials');
  await attempt.giveBack();
  return user;
}

async function isLocked(policy: SignInPorts['policy'], sub: string): Promise<boolean> {
  try {
    await policy.assertUnlocked(sub);
    return false;
  } catch (error) {
    if (error instanceof DoorcodeError && error.code === 'account_locked') return true;
    throw error;
  }
}
