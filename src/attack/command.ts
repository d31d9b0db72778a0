import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../clock.ts';
import { ConfigError, type Environment, EnvironmentReader, UsageError } from '../environment.ts';
import type { Account } from './logins.ts';
import { attack } from './run.ts';
import { parseApp, parseHostPort, parseTarget } from './target.ts';

/** What the command line says. */
export interface AttackArguments {
  readonly url: string;
  /** URL of the operator's own app behind the gateway. */
  readonly app?: string | undefined;
  /** `HOST:PORT`. */
  readonly inbox: string;
  readonly minutes: string;
  readonly users: readonly string[];
  /** Of the users in their order; the last is that of all further ones. */
  readonly passwords: readonly string[];
  readonly owned: boolean;
}

/** The parts of the process that it needs. */
export interface AttackIo {
  readonly write: (line: string) => void;
  readonly readPassword: (once: boolean) => Promise<string>;
  readonly env: Environment;
}

/** The user of development, whose password is no secret. */
const DEMO = 'demo';
const MAX_MINUTES = 60;

/**
 * Attacks the deployment at a URL and reports.
 *
 * @returns the exit code
 * @throws UsageError, ConfigError without a secret, Error when the deployment or the inbox cannot be had
 */
export async function attackCommand(args: AttackArguments, { env, write, readPassword }: AttackIo): Promise<number> {
  const url = parseTarget(args.url, args.owned);
  const app = args.app === undefined ? undefined : parseApp(args.app, args.owned);
  const inbox = parseHostPort(args.inbox);
  const minutes = parseMinutes(args.minutes);
  const reader = new EnvironmentReader(env);
  const secret = reader.secret('WEBHOOK_SECRET');
  if (reader.faults.length > 0) throw new ConfigError(reader.faults);
  if (secret === undefined) throw new ConfigError([howToStart(args.inbox)]);

  const accounts = await accountsOf(args, env, readPassword);
  write(`Attacking ${url} as ${accounts.map(({ username }) => username).join(', ')}, codes come to ${args.inbox}`);
  const { exitCode } = await attack({
    url,
    app,
    accounts,
    inbox,
    secret,
    maxSeconds: minutes * 60,
    clock: systemClock,
    random: randomBytes,
    sleep: setTimeout,
    write,
  });
  return exitCode;
}

async function accountsOf(
  { users, passwords: given }: AttackArguments,
  env: Environment,
  readPassword: (once: boolean) => Promise<string>,
): Promise<[Account, ...Account[]]> {
  const [first = DEMO, ...others] = users;
  const fromEnv = env['ATTACK_PASSWORD'] || undefined;
  const passwords = given.length > 0 || fromEnv === undefined ? given : [fromEnv];
  const fallback = passwords.at(-1) ?? (first === DEMO && others.length === 0 ? DEMO : await readPassword(true));
  const account = (username: string, index: number) => ({ username, password: passwords[index] ?? fallback });
  return [account(first, 0), ...others.map((username, index) => account(username, index + 1))];
}

function parseMinutes(text: string): number {
  const minutes = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (minutes < 1 || minutes > MAX_MINUTES) throw new UsageError(`--minutes must be a number from 1 to ${MAX_MINUTES}`);
  return minutes;
}

/** The lines that make a deployment send its codes here; the secret in them is as good as any. */
function howToStart(inbox: string): string {
  const secret = randomBytes(18).toString('base64url');
  return (
    'WEBHOOK_SECRET: is missing. The deployment has to send its codes here, signed with it:\n\n' +
    `  export WEBHOOK_SECRET=${secret}\n` +
    `  WEBHOOK_URL=http://${inbox}/ npm start\n\n` +
    '  and then the attack, with the same WEBHOOK_SECRET'
  );
}
