import { randomBytes } from 'node:crypto';
import type { Attack } from '../../src/attack/attack.ts';
import type { Account } from '../../src/attack/logins.ts';
import type { Finding, Outcome } from '../../src/attack/report.ts';
import { attack } from '../../src/attack/run.ts';
import type { FakeClock } from './fake-clock.ts';
import { freePort } from './redis.ts';

export const SECRET = 'a secret of the tests alone';

/** Attacks on an app behind the gateway, which are skipped without one. */
export const ON_AN_APP = [
  'upgrade smuggling',
  'session cookie at the app',
  'assertion for another app',
  'identity headers at the app',
];

export interface Attacked {
  readonly findings: readonly Finding[];
  readonly exitCode: number;
  readonly lines: readonly string[];
}

/** Settings of a deployment that is going to be attacked. */
export async function inboxSettings(): Promise<{ port: number; env: Record<string, string> }> {
  const port = await freePort();
  return { port, env: { WEBHOOK_URL: `http://127.0.0.1:${port}/`, WEBHOOK_SECRET: SECRET } };
}

/** Attacks with the demo user unless told otherwise; waiting costs no time. */
export async function attackAt(
  url: string,
  port: number,
  clock: FakeClock,
  more: {
    readonly accounts?: readonly [Account, ...Account[]];
    readonly app?: string;
    readonly attacks?: readonly Attack[];
    readonly ca?: string;
    readonly maxSeconds?: number;
    readonly now?: () => number;
    readonly secret?: string;
  } = {},
): Promise<Attacked> {
  const lines: string[] = [];
  const { findings, exitCode } = await attack({
    url,
    accounts: [{ username: 'demo', password: 'demo' }],
    inbox: { host: '127.0.0.1', port },
    secret: SECRET,
    maxSeconds: 900,
    clock,
    random: randomBytes,
    sleep: async (ms) => clock.advance(ms / 1000),
    write: (line) => void lines.push(line),
    ...more,
  });
  return { findings, exitCode, lines };
}

export function named(findings: readonly Finding[], outcome: Outcome): string[] {
  return findings.filter((finding) => finding.outcome === outcome).map((finding) => finding.attack);
}
