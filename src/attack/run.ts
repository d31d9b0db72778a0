import type { Clock } from '../clock.ts';
import { createAppClient } from './app-client.ts';
import { type Attack, GotThrough, NotTried, type Scene } from './attack.ts';
import { attacks as allAttacks } from './attacks/all.ts';
import { createClient } from './client.ts';
import { startInbox } from './inbox.ts';
import { type Account, createLogins } from './logins.ts';
import { exitCode, type Finding, findingLine, summaryLine } from './report.ts';

export interface AttackOptions {
  /** Of the deployment; only its origin counts. */
  readonly url: string;
  /** Of the operator's own app behind the gateway; attacks on it are skipped without. */
  readonly app?: string | undefined;
  readonly accounts: readonly [Account, ...Account[]];
  /** Where messages are taken: what the deployment's `WEBHOOK_URL` leads to, and what they are signed with. */
  readonly inbox: { readonly host: string; readonly port: number };
  readonly secret: string;
  /** How long the run may take, waiting included. */
  readonly maxSeconds: number;
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly write: (line: string) => void;
  /** PEM, of an authority that is trusted beside those of Node. */
  readonly ca?: string;
  /** For tests: what answers are timed with, milliseconds from any start. */
  readonly now?: () => number;
  /** All of them, unless some are asked for. */
  readonly attacks?: readonly Attack[];
}

/** A run takes some three hundred; one against something that refuses nothing, more. */
const MAX_REQUESTS = 600;

/**
 * Attacks a deployment of one's own, one thing after another, and tells of each whether it was refused.
 *
 * @returns the findings, and the exit code: 0 when nothing got through and codes came to try it with
 * @throws Error with the code EADDRINUSE when the inbox's port is taken; NotTried when nothing answers at the URL
 */
export async function attack(options: AttackOptions): Promise<{ findings: readonly Finding[]; exitCode: number }> {
  const { url, accounts, secret, clock, random, sleep, write, maxSeconds } = options;
  const startedAt = clock();
  const endsAt = startedAt + maxSeconds * 1000;
  const inbox = await startInbox({ ...options.inbox, secret, clock });
  const timeLeftMs = () => endsAt - clock();
  const client = createClient({ url, maxRequests: MAX_REQUESTS, ca: options.ca, timeLeftMs, now: options.now });
  const { app } = options;
  const pause = async (ms: number, why: string) => {
    const seconds = Math.ceil(ms / 1000);
    if (clock() + ms > endsAt) throw new NotTried(`in ${seconds} s ${why}, but this run ends before that (--minutes)`);
    if (seconds > 1) write(`   ...    waiting ${seconds} s until ${why}`);
    await sleep(ms);
  };
  const logins = createLogins({ client, inbox, pause });
  const scene: Scene = {
    deployment: new URL(url).origin,
    client,
    app: app === undefined ? undefined : createAppClient({ url: app, ca: options.ca, timeLeftMs }),
    inbox,
    logins,
    accounts,
    clock,
    random,
    pause,
  };

  const findings: Finding[] = [];
  try {
    const first = await client.get('/login');
    if (first.status === 0) throw new NotTried(`${scene.deployment} does not answer: ${first.text}`);
    for (const { name, run } of options.attacks ?? allAttacks) {
      const finding = await run(scene).then(
        (evidence): Finding => ({ attack: name, outcome: 'passed', evidence }),
        (error: Error): Finding => ({
          attack: name,
          outcome: error instanceof GotThrough ? 'failed' : 'skipped',
          evidence: error instanceof GotThrough || error instanceof NotTried ? error.message : `it broke: ${error}`,
        }),
      );
      findings.push(finding);
      write(findingLine(finding));
    }
  } finally {
    await Promise.all([client.close(), inbox.close()]);
  }
  const seconds = (clock() - startedAt) / 1000;
  write(summaryLine(findings, { requests: client.requests, codes: inbox.messages.length, seconds }));
  if (inbox.messages.length === 0) {
    write('No code came. Start doorcode so that it sends them here, with the same WEBHOOK_SECRET and:');
    write(`  WEBHOOK_URL=${inbox.url} npm start`);
  }
  return { findings, exitCode: exitCode(findings, inbox.messages.length) };
}
