/** The middle one, or the mean of the two in the middle. One outlier does not move it far. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** How far values usually are from their median: the median of that. Nor do outliers move this far. */
export function spread(values: readonly number[]): number {
  const middle = median(values);
  return median(values.map((value) => Math.abs(value - middle)));
}

/**
 * How well two kinds of events are told apart by how long they take: the chance that one of the second kind takes longer
 * than one of the first (the area under the ROC curve; Mann and Whitney's U over the number of pairs). 0.5 is not at all,
 * 0 and 1 are always.
 */
export function separation(first: readonly number[], second: readonly number[]): number {
  const pairs = first.flatMap((one) => second.map((other): number => (other > one ? 1 : other === one ? 0.5 : 0)));
  return pairs.reduce((sum, pair) => sum + pair, 0) / pairs.length;
}

/** Whoever hashes takes ten milliseconds and more; what is below this is the network's or the scheduler's doing. */
const NOTABLE_MS = 3;
const HASH_MS = 10;
const NOTABLE_RATIO = 2;
const NOTABLE_SEPARATION = 0.95;

/** The times of two kinds of requests: told apart, not told apart, or hidden by what is between us and the service. */
export type Told = 'apart' | 'alike' | 'unclear';

/**
 * Whether the times tell the two kinds apart: nearly always, by a notable time, and a notable part of what the service
 * does for them. That part is what is left without the network, which may take far longer than any work.
 *
 * @param baseline times of requests that make no work
 */
export function tellApart(first: readonly number[], second: readonly number[], baseline: readonly number[]): Told {
  const [one, other] = [median(first), median(second)];
  // Neither kind can take less than the way there and back: a measure that says so was a slow one.
  const network = Math.min(median(baseline), one, other);
  const work = Math.max(one, other) - network;
  if (!(spread(baseline) * NOTABLE_RATIO <= Math.max(work, HASH_MS))) return 'unclear';
  const chance = separation(first, second);
  const apart =
    Math.max(chance, 1 - chance) >= NOTABLE_SEPARATION &&
    Math.abs(one - other) >= NOTABLE_MS &&
    work >= NOTABLE_RATIO * (Math.min(one, other) - network);
  return apart ? 'apart' : 'alike';
}
