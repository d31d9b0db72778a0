import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { COMMAND_HELP, HELP } from './command-help.ts';
import { ConfigError, type Environment, EnvironmentReader, UsageError } from './environment.ts';

/** What a command needs of the process. */
export interface CommandIo {
  /** Writes one line to standard output. */
  readonly write: (line: string) => void;
  /** Writes one line to standard error. */
  readonly complain: (line: string) => void;
  /** A password from a prompt, typed twice unless `once`, or the first line of standard input. */
  readonly readPassword: (once?: boolean) => Promise<string>;
  /** The environment, for the settings that a command goes by. */
  readonly env: Environment;
}

/** Something that goes on until it is told to stop. */
export interface Running {
  close(): Promise<void>;
}

/**
 * What the command line asks for. `serve` is left to the caller; everything else is done here, and either over or
 * running when it is told.
 */
export type Outcome = { readonly serve: true } | { readonly running: Running } | { readonly exitCode: number };

/** Which command each option belongs to. */
const OPTION_OWNERS: Readonly<Record<string, string>> = {
  assertion: 'key',
  expires: 'api-key',
  file: 'user',
  locale: 'user',
  port: 'phone',
  'page-port': 'phone',
  certificate: 'phone',
  fault: 'phone',
  user: 'attack',
  password: 'attack',
  app: 'attack',
  inbox: 'attack',
  minutes: 'attack',
  'i-own-this-host': 'attack',
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
        expires: { type: 'string' },
        port: { type: 'string' },
        'page-port': { type: 'string' },
        certificate: { type: 'string' },
        fault: { type: 'string', multiple: true },
        assertion: { type: 'boolean' },
        user: { type: 'string', multiple: true },
        password: { type: 'string', multiple: true },
        app: { type: 'string' },
        inbox: { type: 'string' },
        minutes: { type: 'string' },
        'i-own-this-host': { type: 'boolean' },
      },
    });
    const [command = 'serve', ...rest] = positionals;
    if (values.version) return say(io, version);
    const help = Object.hasOwn(COMMAND_HELP, command) ? COMMAND_HELP[command] : undefined;
    if (values.help) return say(io, (positionals.length > 0 ? help : undefined) ?? HELP);
    const stray = Object.keys(values).find((name) => (OPTION_OWNERS[name] ?? command) !== command);
    if (stray !== undefined) throw new UsageError(`--${stray} belongs to "doorcode ${OPTION_OWNERS[stray]}"`);
    if (command === 'serve' && rest.length === 0) return { serve: true };
    // Any 32 bytes are an Ed25519 private key (RFC 8032 §5.1.5), so both kinds are made alike.
    if (command === 'key' && rest.length === 0) return say(io, randomBytes(32).toString('base64'));
    if (command === 'api-key' && rest[0] !== undefined && rest.length === 1) {
      return await apiKeyCommand(rest[0], values.expires, io);
    }
    if (command === 'user' && rest[0] === 'add' && rest.length === 3) {
      const [, username = '', phone = ''] = rest;
      return await addUserCommand(
        { username, phone, path: values.file ?? (io.env['USERS_FILE'] || 'users.json'), locale: values.locale },
        io,
      );
    }
    if (command === 'unlock' && rest[0] !== undefined && rest.length === 1) return await unlockCommand(rest[0], io);
    if (command === 'subject' && rest[0] !== undefined && rest.length === 1) return await subjectCommand(rest[0], io);
    if (command === 'phone' && rest.length === 0) {
      return await phoneCommand(
        {
          port: portOf('port', values.port ?? '8443'),
          pagePort: values['page-port'] === 'off' ? null : portOf('page-port', values['page-port'] ?? '8025'),
          certificatePath: values.certificate ?? 'phone-certificate.pem',
          faults: values.fault ?? [],
        },
        io,
      );
    }
    if (command === 'attack' && rest[0] !== undefined && rest.length === 1) {
      const { attackCommand } = await import('./attack/command.ts');
      const args = {
        url: rest[0],
        ...(values.app === undefined ? {} : { app: values.app }),
        inbox: values.inbox ?? '127.0.0.1:8026',
        minutes: values.minutes ?? '15',
        users: values.user ?? [],
        passwords: values.password ?? [],
        owned: values['i-own-this-host'] ?? false,
      };
      return { exitCode: await attackCommand(args, io) };
    }
    throw new UsageError(help ?? `There is no command "${command}".\n\n${HELP}`);
  } catch (error) {
    io.complain((error as Error).message);
    const misused =
      error instanceof UsageError || String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE');
    return { exitCode: misused ? 64 : error instanceof ConfigError ? 78 : 1 };
  }
}

async function unlockCommand(username: string, io: CommandIo): Promise<Outcome> {
  const { unlock } = await import('./unlock.ts');
  return say(io, (await unlock(io.env, username)) ? `Unlocked ${username}.` : `${username} was not locked.`);
}

async function subjectCommand(name: string, io: CommandIo): Promise<Outcome> {
  const [{ readMasterKeys }, { createSubjectHash }] = await Promise.all([
    import('./config.ts'),
    import('./telemetry/subject.ts'),
  ]);
  const reader = new EnvironmentReader(io.env);
  const { masterKeys, keysGiven } = readMasterKeys(reader, false);
  if (!keysGiven) reader.fault('SESSION_KEYS', 'is missing; without it each run has keys, and subjects, of its own');
  if (reader.faults.length > 0) throw new ConfigError(reader.faults);
  return say(io, createSubjectHash(masterKeys[0] as Buffer)(name));
}

async function apiKeyCommand(name: string, expires: string | undefined, io: CommandIo): Promise<Outcome> {
  const { makeApiKey, parseApiKeyEntry } = await import('./verifications/api-keys.ts');
  const { key, entry } = makeApiKey(name, randomBytes, expires);
  if (parseApiKeyEntry(entry) === null) {
    throw new UsageError(
      'NAME must have 1 to 64 of letters, digits, _, . and -; --expires must be a day such as 2027-01-31.',
    );
  }
  io.write(`key:      ${key}`);
  return say(io, `API_KEYS: ${entry}`);
}

async function phoneCommand(
  { faults, ...options }: { port: number; pagePort: number | null; certificatePath: string; faults: string[] },
  { env, write }: CommandIo,
): Promise<Outcome> {
  const reader = new EnvironmentReader(env);
  const mode = reader.oneOf('NODE_ENV', ['production', 'development', 'test'], 'development');
  if (reader.faults.length > 0) throw new ConfigError(reader.faults);
  if (mode === 'production') {
    throw new ConfigError(['NODE_ENV: "doorcode phone" shows every code to everyone: it does not start in production']);
  }
  const [{ openPhone }, { parseFault }] = await Promise.all([
    import('./phone-simulator/open-phone.ts'),
    import('./phone-simulator/faults.ts'),
  ]);
  const known = new Map(
    faults.map((text) => {
      const fault = parseFault(text);
      if (fault === null) throw new UsageError(`--fault ${text}: must be PROVIDER=FAULT, such as signalwire=hang`);
      return fault;
    }),
  );
  return { running: await openPhone({ ...options, faults: known, write }) };
}

function portOf(option: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new UsageError(`--${option} must be a port, a number from 0 to 65535`);
  return port;
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
  const [{ parsePhone }, { addUser, newUserFaults }, { hashPassword }] = await Promise.all([
    import('./delivery/phone.ts'),
    import('./users/add-user.ts'),
    import('./users/password.ts'),
  ]);
  const number = parsePhone(phone);
  if (number === null) throw new UsageError('PHONE must be a phone number with its country code: +15550100101');
  const user = { username, phone: number, ...(locale === undefined ? {} : { locale }) };
  const faults = newUserFaults(user);
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  const password = await io.readPassword();
  // The same bounds as at sign-in, so that nobody is given a password that can never be typed.
  if (password.length < 8 || password.length > 1024) {
    throw new UsageError('The password must have 8 to 1024 characters.');
  }
  const passwordHash = await hashPassword(password);
  await addUser({ path, ...user, passwordHash });
  return say(io, `Added ${username} to ${path}.`);
}
