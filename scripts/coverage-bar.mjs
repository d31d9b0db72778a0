import { existsSync, readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';

const SUMMARY = '.tap/report/coverage-summary.json';
/** Percent of the whole. */
const BAR = { lines: 97, branches: 92, functions: 95 };
export const MEASURES = Object.keys(BAR).length;
/** A file below this in any of the three is named. */
const WORTH_NAMING = 90;

/**
 * Prints the coverage of src/ and the files that drag it down.
 *
 * @returns {string[]} what is below the bar
 */
export function coverageFaults() {
  const files = readFiles();
  if (files.length === 0) return Object.keys(BAR).map((measure) => `coverage: no ${measure} were measured`);
  const measures = Object.keys(BAR).map((measure) => ({
    measure,
    percent: percent(files.map((file) => file.counts[measure])),
    bar: BAR[measure],
  }));

  console.log(
    `Coverage: ${measures.map(({ measure, percent }) => `${percent.toFixed(1)} % of ${measure}`).join(', ')}`,
  );
  for (const { path, counts } of files) {
    const low = Object.keys(BAR).filter((measure) => percent([counts[measure]]) < WORTH_NAMING);
    const figures = low.map((measure) => `${percent([counts[measure]]).toFixed(1)} % of ${measure}`);
    if (low.length > 0) console.log(`  ${path}: ${figures.join(', ')}`);
  }
  return measures
    .filter(({ percent, bar }) => percent < bar)
    .map(({ measure, percent, bar }) => `coverage: ${percent.toFixed(1)} % of ${measure}, the bar is ${bar} %`);
}

/** What the tests themselves and the built program cover does not count. */
function readFiles() {
  if (!existsSync(SUMMARY)) return [];
  const { total: _, ...files } = JSON.parse(readFileSync(SUMMARY, 'utf8'));
  return Object.entries(files)
    .map(([path, counts]) => ({ path: relative('.', path), counts }))
    .filter(({ path }) => path.startsWith(`src${sep}`))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** @param {{ total: number, covered: number }[]} counts */
function percent(counts) {
  const sum = (field) => counts.reduce((all, count) => all + count[field], 0);
  return sum('total') === 0 ? 100 : (100 * sum('covered')) / sum('total');
}
