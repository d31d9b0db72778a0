import type { BreakerState } from './delivery/breaker.ts';
import type { Sender } from './delivery/sender.ts';
import type { ReadinessCheck } from './http/readiness.ts';
import type { Log } from './log.ts';

/** What is to be told of the senders. */
export interface SenderReadiness {
  /** Not ready while no sender can be used: some load a large library first. */
  readonly check: ReadinessCheck;
  /** Senders that cannot be used while others can. */
  readonly warnings: () => readonly string[];
}

/**
 * Watches the senders get ready. One that cannot be loaded must not take the whole service out of traffic, because the
 * next in the order of failover does its work.
 */
export function watchSenders(senders: readonly Sender[], log: Log): SenderReadiness {
  const states = new Map<Sender, string>();
  for (const sender of senders) {
    if (sender.ready === undefined) continue;
    states.set(sender, `${sender.name} is loading`);
    sender.ready().then(
      () => states.delete(sender),
      (error: unknown) => {
        states.set(sender, `${sender.name} cannot be loaded`);
        log.error({ sender: sender.name, err: error }, 'sender cannot be loaded');
      },
    );
  }
  const usable = () => states.size < senders.length;
  return {
    check: () => (usable() ? null : [...states.values()].join(', ')),
    warnings: () => (usable() ? [...states.values()] : []),
  };
}

/**
 * Whether messages can be sent: waits for what every message is looked up in, so that nobody signs in on a replica that
 * stands still to load it.
 *
 * @param loadNumbers see `NumberRules.load`
 * @param senders see {@link SenderReadiness.check}
 */
export function deliveryReadiness(loadNumbers: () => Promise<void>, senders: ReadinessCheck): ReadinessCheck {
  return () => loadNumbers().then(senders, () => 'number tables cannot be loaded');
}

/** Senders that have failed so often that they are not being tried, by name. */
export function leftOut(states: Readonly<Record<string, BreakerState>>): string[] {
  return Object.entries(states)
    .filter(([, state]) => state !== 'closed')
    .map(([name]) => `${name} is failing and is left out for a while`);
}
