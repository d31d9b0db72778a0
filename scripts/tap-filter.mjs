/** Bookkeeping of the format, and what the coverage bar tells better. */
const NOISE = /^(?:TAP version|# Subtest|\d+\.\.\d+|\}|# ERROR: incomplete|# No coverage)/;
/** A process that runs several test files prints a line for each of them. */
const GROUP = /^ok \d+ - \.tap\/groups\//;

/**
 * Picks from the lines of a TAP stream what a person wants to read: one line a test file, what failed with its details,
 * what was skipped, what tests print themselves, and the summary.
 *
 * @returns {(line: string) => boolean} whether to show a line; called with each, in order
 */
export function createTapFilter() {
  /** Spaces before the details that we are in, a YAML block. */
  let yamlIndent = -1;
  let showYaml = false;
  let previousIndent = 0;

  return (line) => {
    const indent = line.search(/\S/);
    const text = line.trim();
    if (yamlIndent !== -1) {
      if (indent === yamlIndent && text === '...') yamlIndent = -1;
      return showYaml;
    }
    if (text === '') return false;
    if (text === '---') {
      yamlIndent = indent;
      return showYaml;
    }
    // A result behind deeper lines closes a subtest, whose failures have been told.
    const closesSubtest = previousIndent > indent;
    previousIndent = indent;
    const failed = text.startsWith('not ok');
    showYaml = failed && !closesSubtest;
    if (failed || /^ok\b/.test(text)) {
      return failed || (indent === 0 && !GROUP.test(text)) || / # (?:SKIP|TODO)\b/i.test(text);
    }
    return !NOISE.test(text) && (indent === 0 || !text.startsWith('# time='));
  };
}
