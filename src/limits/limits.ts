/** A counter as it stands. */
export interface Count {
  readonly count: number;
  /** When it is forgotten, milliseconds since the Unix epoch. */
  readonly resetAtMs: number;
}

export interface AddOptions {
  /** Forgotten so long after its last event, not after its first. */
  readonly sliding?: boolean;
  /** A counter that stands at this takes no more: it is left as it is, and lives no longer. */
  readonly max?: number;
}

/**
 * Port: counters that forget themselves, for what must be counted or happen once and so may not live in a cookie. Every
 * call is atomic. Every adapter passes `test/limits/limits.contract.ts`.
 *
 * A counter is named by its rule (one of a handful, each with a memory of its own) and a key within the rule.
 *
 * @throws DoorcodeError `limits_unavailable` from every call, when the store cannot be reached or is full: nothing is
 *   then counted, and nothing older is given up to make room
 */
export interface Limits {
  /**
   * Adds one. A counter starts with its first event and is forgotten `ttlSeconds` after that.
   *
   * @returns the counter; of a full one, the count that this event would have made
   */
  add(rule: string, key: string, ttlSeconds: number, options?: AddOptions): Promise<Count>;
  /**
   * Takes one back, never below zero, for an event that did not come about.
   *
   * @param counted what {@link add} returned: nothing is taken off a later window. Left out for sliding counters, whose
   *   end moves with each event
   */
  giveBack(rule: string, key: string, counted?: Count): Promise<void>;
  /** @returns the counter, at zero when there is none */
  read(rule: string, key: string): Promise<Count>;
  /** Sets the counter to one for `ttlSeconds` if it is not running, and tells whether that was so: the first wins. */
  claim(rule: string, key: string, ttlSeconds: number): Promise<boolean>;
  forget(rule: string, key: string): Promise<void>;
  close(): Promise<void>;
}
