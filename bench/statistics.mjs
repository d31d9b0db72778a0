/** The middle of some numbers. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** From the least to the greatest, in words. */
export function spread(numbers) {
  return `${Math.min(...numbers).toFixed(2)} to ${Math.max(...numbers).toFixed(2)}`;
}

/** A ratio in each of several rounds, as a row of the table. */
export function ratioRow(name, ratios, target, { atLeast, note = '' }) {
  const middle = median(ratios);
  return {
    name,
    figure: `${middle.toFixed(2)} (${spread(ratios)}${note === '' ? '' : `; ${note}`})`,
    target: `${atLeast ? '≥' : '≤'} ${target}`,
    met: atLeast ? middle >= target : middle <= target,
  };
}
