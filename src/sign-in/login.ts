import { draft } from '../challenge/challenge.ts';
import { DoorcodeError } from '../errors.ts';
import { limitOf, outcomeOf } from '../events.ts';
import { assertChannel } from '../send-code.ts';
import type { Trace } from '../trace.ts';
import type { User } from '../users/directory.ts';
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
  readonly trace: Trace;
}

/** How far a login has come, for the one event that tells of it. */
interface Progress {
  user?: User;
  directoryMs?: number;
}

/**
 * The first factor: password, account lock, send limits, then a code on its way.
 *
 * @throws DoorcodeError `invalid_credentials` for an unknown user, a wrong password and a locked account alike,
 *   `too_many_requests` after too many wrong passwords, and whatever {@link issue} and the directory throw
 */
export async function login(ports: SignInPorts, input: LoginInput): Promise<Issued> {
  const { clock, events, random, settings } = ports;
  const { address, channel, next, trace, username } = input;
  const progress: Progress = {};
  const asked = () => {
    const { user, directoryMs } = progress;
    const subject = user?.username ?? username;
    return {
      type: 'asked',
      flow: 'sign_in',
      again: false,
      trace,
      subject,
      phone: user?.phone,
      channel,
      directoryMs,
    } as const;
  };
  try {
    assertChannel(ports, channel);
    const user = await authenticate(ports, input, progress);
    const loginAt = Math.floor(clock() / 1000);
    const fields = {
      sub: user.username,
      phone: user.phone,
      locale: user.locale ?? input.locale,
      channel,
      loginAt,
      next,
    };
    const issued = await issue(ports, draft(random, settings.otpDigits), fields, address, trace);
    events({ ...asked(), outcome: 'ok', sender: issued.sender, acceptedMs: issued.acceptedMs });
    return issued;
  } catch (error) {
    // What the client is not told: that the password was right, and the account locked.
    const hidden = error instanceof DoorcodeError && error.code === 'invalid_credentials' ? error.limit : undefined;
    const outcome = hidden === undefined ? outcomeOf(error) : 'account_locked';
    events({ ...asked(), outcome, limit: limitOf(error) });
    throw error;
  }
}

async function authenticate(
  { clock, directory, policy }: SignInPorts,
  { username, password, address, trace }: LoginInput,
  progress: Progress,
): Promise<User> {
  const attempt = await policy.password(username, address);
  const askedAtMs = clock();
  const user = await directory.authenticate(username, password, trace).catch(async (error: unknown) => {
    // Nothing was learned about the password.
    await attempt.giveBack();
    throw error instanceof DoorcodeError ? error : withoutWords(error);
  });
  progress.directoryMs = clock() - askedAtMs;
  if (user === null) throw new DoorcodeError('invalid_credentials');
  progress.user = user;
  // That a password is right is not told while its account is locked, so it counts like a wrong one, too.
  const lock = await lockOf(policy, user.username);
  if (lock !== null)
    throw new DoorcodeError('invalid_credentials', lock.limit === undefined ? {} : { limit: lock.limit });
  await attempt.giveBack();
  return user;
}

async function lockOf(policy: SignInPorts['policy'], sub: string): Promise<DoorcodeError | null> {
  try {
    await policy.assertUnlocked(sub);
    return null;
  } catch (error) {
    if (error instanceof DoorcodeError && error.code === 'account_locked') return error;
    throw error;
  }
}

/** What nobody expected of a directory, for the log: its name and place, because its words may quote the password. */
function withoutWords(error: unknown): Error {
  const { name = typeof error, stack = '' } = Object(error) as Partial<Error>;
  const told = new Error(`The user directory failed: ${name}`);
  told.stack = [told.message, ...stack.split('\n').filter((line) => /^ {4}at /.test(line))].join('\n');
  return told;
}
