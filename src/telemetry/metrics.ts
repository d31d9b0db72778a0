import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { BreakerState } from '../delivery/breaker.ts';
import type { Asked, Checked, Events, Flow } from '../events.ts';
import type { GuessBudget } from '../limits/risk.ts';

/** What is asked for at the moment that somebody looks. */
export interface MetricSources {
  readonly version: string;
  readonly guessBudget: GuessBudget;
  readonly breakers: () => Readonly<Record<string, BreakerState>>;
  /** Password checks; absent where others check them. */
  readonly hashing?: (() => { readonly running: number; readonly waiting: number }) | undefined;
  /** Whether each replica counts for itself. */
  readonly degraded: () => boolean;
  /** Lines of the log and of notices that the process could not write, since the start. */
  readonly droppedLines: () => number;
}

export interface DescribedMetric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
}

export interface Metrics {
  readonly events: Events;
  /** One command of the limit store. */
  readonly observeStore: (operation: string, ms: number, failed: boolean) => void;
  /** One answered request. */
  readonly observeRequest: (method: string, route: string, status: number, ms: number) => void;
  /** From now on the sources are asked whenever somebody looks. */
  watch(sources: MetricSources): void;
  /** Every metric there is. */
  readonly described: () => readonly DescribedMetric[];
  readonly contentType: string;
  readonly page: () => Promise<string>;
}

const BREAKER_STATES: readonly BreakerState[] = ['closed', 'half_open', 'open'];

const FLOWS: readonly Flow[] = ['sign_in', 'verification'];

/** States of the providers' own that we know; any other is `other`, so that nobody can make up labels. */
const RECEIPT_STATES: ReadonlySet<string> = new Set(
  'accepted queued sending sent delivered undelivered failed initiated ringing in-progress completed busy no-answer canceled read'.split(
    ' ',
  ),
);

/**
 * Everything that is counted, for Prometheus. Labels are names of our own parts and outcomes, never anything of a user,
 * so that their number is bounded, and nobody who reads them learns of anybody.
 */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'doorcode_' });

  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name: `doorcode_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[], ...labelNames: string[]) =>
    new Histogram({ name: `doorcode_${name}`, help, buckets, labelNames, registers });
  const gauge = (name: string, help: string, ...labelNames: string[]) =>
    new Gauge({ name: `doorcode_${name}`, help, labelNames, registers });

  const signIns = counter(
    'sign_ins_total',
    'Logins with a password, by how they ended; ok: a code was sent',
    'outcome',
  );
  const verifications = counter('verifications_total', 'Numbers that servers asked to have proved', 'outcome');
  const resends = counter('resends_total', 'Codes that were asked for again', 'flow', 'outcome');
  const checks = counter(
    'checks_total',
    'Codes that were checked; otp_expired_right: the right one after its time',
    'flow',
    'outcome',
  );
  const codeAge = histogram(
    'code_age_seconds',
    'How old right codes were when they came, those that came too late included',
    [5, 10, 15, 20, 30, 45, 60, 90, 120, 300, 600],
    'flow',
  );
  const locks = counter('account_locks_total', 'Locks after wrong codes in a row', 'flow');
  const signOuts = counter('sign_outs_total', 'Sessions that were signed out');
  const limitsHit = counter('limits_hit_total', 'Requests that a limit refused', 'limit');
  const refused = counter('requests_refused_total', 'Requests that were refused before they were looked at', 'outcome');
  const sends = counter('sends_total', 'Messages that were handed to a sender', 'sender', 'channel', 'outcome');
  const acceptance = histogram(
    'acceptance_seconds',
    'How long users waited until a sender had accepted their message, senders that failed before included',
    [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 7, 10],
    'sender',
    'channel',
  );
  const receipts = counter('receipts_total', 'What providers said became of messages', 'sender', 'channel', 'status');
  const store = histogram(
    'store_seconds',
    'Commands of the shared limit store',
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5],
    'operation',
    'outcome',
  );
  const requests = histogram(
    'http_request_seconds',
    'Answered requests',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    'method',
    'route',
    'status',
  );
  // A counter that begins at 1 has not gone up, as Prometheus sees it: alerts would miss the first one.
  for (const flow of FLOWS) locks.inc({ flow }, 0);
  refused.inc({ outcome: 'overloaded' }, 0);
  const clockBehind = counter('clock_behind_total', 'Challenges that began more than 5 s in the future of this clock');
  const clockBehindSeconds = gauge('clock_behind_seconds', 'How far the last of them began in the future');

  const watched = {
    breakers: gauge('breaker_state', 'Whether a sender is tried: 1 for the state it is in', 'sender', 'state'),
    hashing: gauge('hashing_tasks', 'Password checks', 'state'),
    degraded: gauge('store_degraded', '1 while this replica counts for itself'),
    droppedLines: counter('log_lines_dropped_total', 'Log lines that standard output did not accept'),
    guesses: gauge('guess_budget_guesses', 'Guesses at the codes of an account in 24 hours, at the most'),
    chance: gauge('guess_budget_ratio', 'Chance that one of them is right', 'period'),
    build: gauge('build_info', 'What runs', 'version'),
  };

  let sources: MetricSources | undefined;

  function look({ breakers, degraded, droppedLines, hashing }: MetricSources): void {
    watched.degraded.set(degraded() ? 1 : 0);
    watched.droppedLines.reset();
    watched.droppedLines.inc(droppedLines());
    for (const [state, tasks] of Object.entries(hashing?.() ?? {})) watched.hashing.set({ state }, tasks);
    for (const [sender, is] of Object.entries(breakers())) {
      for (const state of BREAKER_STATES) watched.breakers.set({ sender, state }, state === is ? 1 : 0);
    }
  }

  function countAsked({ again, flow, outcome, limit }: Asked): void {
    if (again) resends.inc({ flow, outcome });
    else (flow === 'sign_in' ? signIns : verifications).inc({ outcome });
    if (limit !== undefined) limitsHit.inc({ limit });
  }

  function countChecked({ flow, outcome, ageMs, limit }: Checked): void {
    checks.inc({ flow, outcome });
    if (limit !== undefined) limitsHit.inc({ limit });
    const right = outcome === 'ok' || outcome === 'otp_expired_right';
    // Accepted at a moment that is rounded up to the next second.
    if (right && ageMs !== undefined) codeAge.observe({ flow }, Math.max(0, ageMs) / 1000);
  }

  return {
    events(event) {
      switch (event.type) {
        case 'asked':
          return countAsked(event);
        case 'checked':
          return countChecked(event);
        case 'locked':
          return locks.inc({ flow: event.flow });
        case 'signed_out':
          return signOuts.inc();
        case 'refused':
          return refused.inc({ outcome: event.outcome });
        case 'tried': {
          const { sender, channel, outcome, totalMs } = event;
          sends.inc({ sender, channel, outcome });
          if (totalMs !== undefined) acceptance.observe({ sender, channel }, totalMs / 1000);
          return;
        }
        case 'receipt': {
          const { sender, channel, status = '' } = event;
          return receipts.inc({ sender, channel, status: RECEIPT_STATES.has(status) ? status : 'other' });
        }
        case 'clock_behind':
          clockBehind.inc();
          return clockBehindSeconds.set(event.seconds);
      }
    },
    observeStore: (operation, ms, failed) => store.observe({ operation, outcome: failed ? 'failed' : 'ok' }, ms / 1000),
    observeRequest: (method, route, status, ms) => requests.observe({ method, route, status }, ms / 1000),
    watch(given) {
      const { version, guessBudget } = given;
      watched.build.set({ version }, 1);
      watched.guesses.set(guessBudget.guessesPerDay);
      watched.chance.set({ period: 'day' }, guessBudget.perDay);
      watched.chance.set({ period: 'year' }, guessBudget.perYear);
      sources = given;
    },
    described: () =>
      registry.getMetricsAsArray().map((metric) => {
        // Its own types leave the names of labels out.
        const { name, type, labelNames } = metric as unknown as DescribedMetric & { labelNames: string[] };
        return { name, type, labels: labelNames };
      }),
    contentType: registry.contentType,
    page() {
      if (sources !== undefined) look(sources);
      return registry.metrics();
    },
  };
}
