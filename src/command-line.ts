import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ConfigError, type Environment } from './environment.ts';

/** What a command needs of the process. */
export interface CommandIo {
  /** Writes one line to standard output. */
  readonly write: (line: string) => void;
  /** Writes one line to standard error. */
  readonly complain: (line: string) => void;
  /** A password from a prompt, or the first line of standard input. */
  readonly readPassword: () => Promise<string>;
  /** The environment, for the settings that a command goes by. */
  readonly env: Environment;
}

/** What the command line asks for. `serve` is left to the caller, because it goes on; everything else is done here. */
export type Outcome = { readonly serve: true } | { readonly exitCode: number };

const HELP = `doorcode: one-time passwords by text message, with no database

Usage: doorcode [COMMAND]

  serve                   run the service (the default); configured by the environment
  key                     print a fresh key for SESSION_KEYS, or with --assertion for ASSERTION_KEY
  user add NAME PHONE     add a user to a users file, with a password from the prompt or standard input
  unlock NAME             lift the lock of an account after too many wrong codes

Every command explains itself with --help. Options: --help, --version`;

const COMMAND_HELP: Readonly<Record<string, string>> = {
  serve: `Usage: doorcode [serve]

Runs the service. Settings come from the environment, and from a file .env in the current folder for names that the
environment does not set; README.md lists them. Stops on SIGTERM or SIGINT once requests in flight are answered.
Exit codes: 0 stopped, 1 failed to run (for instance the port is taken), 78 the configuration has faults.`,
  key: `Usage: doorcode key [--assertion]

Prints 32 random bytes in base64, a key for SESSION_KEYS. To rotate, put the new key in front of the old one, separated
by a comma, and drop the old one when SESSION_TTL has passed.

  --assertion      a private key for ASSERTION_KEY instead (Ed25519). To rotate, put the new key behind the old one, in
                   front of it ten minutes later, and drop the old one a minute after every replica knows that.`,
  user: `Usage: doorcode user add NAME PHONE [--file users.json] [--locale LOCALE]

Adds a user to the file that USERS_FILE names. The password is asked for without being shown, or read from the first
line of standard input; the file holds its argon2id hash only.

  NAME             what the user types to sign in
  PHONE            E.164, for instance +15550100101
  --file FILE      the users file, made when there is none (default: USERS_FILE, else users.json)
  --locale LOCALE  language of the user's messages, for instance en`,
  unlock: `Usage: doorcode unlock NAME

Lifts the lock that too many wrong codes put on an account, and forgets what led to it. Needs REDIS_URL: without it the
counts are in the memory of the service, and end with it.`,
};

/** Runs one command. Faults of usage go to standard error with exit code 64 (EX_USAGE of sysexits). */
export async function runCommand(args: readonly string[], version: string, io: CommandIo): Promise<Outcome> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
        file: { type: 'string' },
        locale: { type: 'string' },
        assertion: { type: 'boolean' },
      },
    });
    const [command = 'serve', ...rest] = positionals;
    if (values.version) return say(io, version);
    const help = Object.hasOwn(COMMAND_HELP, command) ? COMMAND_HELP[command] : undefined;
    if (values.help) return say(io, (positionals.length > 0 ? help : undefined) ?? HELP);
    if (command !== 'user' && (values.file !== undefined || values.locale !== undefined)) {
      throw new UsageError(`--file and --locale belong to "user add"`);
    }
    if (command !== 'key' && values.assertion !== undefined) throw new UsageError('--assertion belongs to "key"');
    if (command === 'serve' && rest.length === 0) return { serve: true };
    // Any 32 bytes are an Ed25519 private key (RFC 8032 §5.1.5), so both kinds are made alike.
    if (command === 'key' && rest.length === 0) return say(io, randomBytes(32).toString('base64'));
    if (command === 'user' && rest[0] === 'add' && rest.length === 3) {
      const [, username = '', phone = ''] = rest;
      return await addUserCommand(
        { username, phone, path: values.file ?? (io.env['USERS_FILE'] || 'users.json'), locale: values.locale },
        io,
      );
    }
    if (command === 'unlock' && rest[0] !== undefined && rest.length === 1) return await unlockCommand(rest[0], io);
    throw new UsageError(help ?? `There is no command "${command}".\n\n${HELP}`);
  } catch (error) {
    io.complain((error as Error).message);
    const misused =
      error instanceof UsageError || String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE');
    return { exitCode: misused ? 64 : error instanceof ConfigError ? 78 : 1 };
  }
}

class UsageError extends Error {}

async function unlockCommand(username: string, io: CommandIo): Promise<Outcome> {
  const { unlock } = await import('./unlock.ts');
  return say(io, (await unlock(io.env, username)) ? `Unlocked ${username}.` : `${username} was not locked.`);
}

function say(io: CommandIo, text: string): Outcome {
  io.write(text);
  return { exitCode: 0 };
}

async function addUserCommand(
  { username, phone, path, locale }: { username: string; phone: string; path: string; locale: string | undefined },
  io: CommandIo,
): Promise<Outcome> {
  // Loaded only now: starting the service needs none of it.
  const [{ parsePhone }, { addUser }, { hashPassword }] = await Promise.all([
    import('./delivery/phone.ts'),
    import('./users/add-user.ts'),
    import('./users/password.ts'),
  ]);
  const number = parsePhone(phone);
  if (number === null) throw new UsageError('PHONE must be a phone number with its country code: +15550100101');
  const password = await io.readPassword();
  // The same bounds as at sign-in, so that nobody is given a password that can never be typed.
  if (password.length < 8 || password.length > 1024) {
    throw new UsageError('The password must have 8 to 1024 characters.');
  }
  const passwordHash = await hashPassword(password);
  await addUser({ path, username, phone: number, passwordHash, ...(locale === undefined ? {} : { locale }) });
  return say(io, `Added ${username} to ${path}.`);
}
