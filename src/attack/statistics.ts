/** The middle one, or the mean of the two in the middle. One outlier does not move it far. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
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
const NOTABLE_RATIO = 2;
const NOTABLE_SEPARATION = 0.95;

/** Whether the times tell the two kinds apart: nearly always, by a notable time, and a notable part of it. */
export function tellApart(first: readonly number[], second: readonly number[]): boolean {
  const [one, other] = [median(first), median(second)];
  const chance = separation(first, second);
  return (
    Math.max(chance, 1 - chance) >= NOTABLE_SEPARATION &&
    Math.abs(one - other) >= NOTABLE_MS &&
    Math.max(one, other) >= NOTABLE_RATIO * Math.min(one, other)
  );
}
