import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
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

const HELP = `doorcode: one-time passwords by text message, with no database

Usage: doorcode [COMMAND]

  serve                   run the service (the default); configured by the environment
  key                     print a fresh key for SESSION_KEYS, or with --assertion for ASSERTION_KEY
  api-key NAME            make a key for a server that calls the API
  user add NAME PHONE     add a user to a users file, with a password from the prompt or standard input
  subject NAME            print what stands for a user, or a number, in the log
  unlock NAME             lift the lock of an account after too many wrong codes
  phone                   a phone for development, with SignalWire, Twilio and Plivo in front of it
  attack URL              attack a deployment of your own, and report what it refused

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
  'api-key': `Usage: doorcode api-key NAME [--expires YYYY-MM-DD]

Makes a key for a server that calls /verifications: prints the key, which that server sends as "Authorization: Bearer
KEY" and which is shown this once, and its entry for API_KEYS, which holds its hash only. Entries are separated by
commas. To rotate, add a second entry of the same NAME, move the server over, and drop the first.

  NAME                    of the server, letters, digits, _, . and -
  --expires YYYY-MM-DD    the last day on which the key is good`,
  subject: `Usage: doorcode subject NAME

Prints what stands for a user, or for a phone number that a server had proved, in the field "subject" of the log. It
goes by the first of SESSION_KEYS, so that nobody else can find out names by trying.`,
  unlock: `Usage: doorcode unlock NAME

Lifts the lock that too many wrong codes put on an account, and forgets what led to it. Needs REDIS_URL: without it the
counts are in the memory of the service, and end with it.`,
  phone: `Usage: doorcode phone [--port 8443] [--page-port 8025] [--certificate phone-certificate.pem] [--fault P=F]

Takes messages and calls as SignalWire, Twilio and Plivo do, on one TLS port of this machine, checks them as strictly,
and shows them on a page. For development and tests: it sends nothing, and does not start with NODE_ENV=production.
Any account and token will do. Callbacks are signed with the token, SignalWire's as well; they go to this machine only.

  --port PORT         of the APIs, 0 for any (default: 8443)
  --page-port PORT    of the page, 0 for any, "off" for none (default: 8025)
  --certificate FILE  where its certificate is written, for NODE_EXTRA_CA_CERTS (default: phone-certificate.pem)
  --fault P=F         a provider misbehaves for every number: signalwire, twilio or plivo = rejected, opted_out,
                      too_many_requests, server_error, reset, hang, accepted_hang, slow, duplicate or undelivered

A number meets with a fault by its last three digits:

  901  refused: the number is not valid
  902  refused: the recipient has opted out
  903  429, too many requests
  904  500 with a page of HTML
  905  the connection is cut
  906  no answer, ever
  907  it arrives, but the answer stops half-way
  908  it arrives, 3 s late
  909  it arrives twice
  910  accepted, but never delivered`,
  attack: `Usage: doorcode attack URL [--user NAME]... [--password PASSWORD]... [--inbox 127.0.0.1:8026]
                       [--minutes 15] [--i-own-this-host]

Attacks a deployment of your own: guesses codes and passwords, one by one and at once, puts cookies back, swaps and
forges them, spoofs headers, asks for messages, and more; and says of each attempt whether it was refused, and what was
seen. It takes two minutes and five codes, which have to come here: start the deployment with the WEBHOOK_URL of the
inbox and the same WEBHOOK_SECRET as this command. It waits as long as the deployment asks it to. Afterwards the account
has few wrong passwords left from here, for a quarter of an hour, and a second account is locked.

  URL                  of the deployment, on this machine: http://127.0.0.1:3000
  --user NAME          an account whose codes go to the webhook (default: demo). A second one, with a phone of its own,
                       gets locked: only then is it tried whether that holds
  --password PASSWORD  of the users in their order, the last for all others (default: ATTACK_PASSWORD, else demo for
                       demo, else asked for). Others on this machine can see a command line
  --inbox HOST:PORT    where to listen for codes (default: 127.0.0.1:8026)
  --minutes N          the longest that it may take, 1 to 60 (default: 15)
  --i-own-this-host    attack a host that is not this machine. Do that to nobody else's

Exit codes: 0 nothing got through, 1 something did or no code came, 64 wrong arguments, 78 no WEBHOOK_SECRET.`,
};

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
