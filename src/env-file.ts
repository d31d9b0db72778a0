import { ConfigError } from './environment.ts';
import { decodeText } from './text-file.ts';

/** One MiB. A file of settings has a few kilobytes; what is larger is another file by mistake. */
const MAX_BYTES = 1_048_576;

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?(?<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=(?<rest>.*)$/s;
const QUOTED = /^(?<quote>["'`])(?<text>(?:(?!\k<quote>).)*)\k<quote>(?:[ \t]+#.*)?$/s;
// Control characters other than the tab, and a byte-order mark, which stands in the middle of files that were joined.
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f\ufeff]/;

/**
 * Reads a `.env` file completely or not at all: one `NAME=value` a line, and lines that are empty or start with `#`.
 *
 * Readers of such files (a shell, Docker's `--env-file`, Compose, `util.parseEnv` of Node.js) disagree about comments
 * after a value, quotes and repeated names, and most of them drop what they do not understand. A line that they would
 * read in different ways is refused, except that quotes around a value are removed, which Docker does not do. In double
 * quotes `\n` is a line break, as in Node.js; nothing else is replaced.
 *
 * @param path the file's name for messages
 * @returns the values by name
 * @throws ConfigError with one fault for each line that is refused; values are not quoted
 */
export function parseEnvFile(path: string, bytes: Uint8Array): Map<string, string> {
  if (bytes.length > MAX_BYTES) throw new ConfigError([`${path}: is larger than 1 MiB`]);
  const faults: string[] = [];
  const values = new Map<string, string>();
  const lineOf = new Map<string, number>();
  for (const [index, line] of textOf(path, bytes)
    .split(/\r\n|\n|\r/)
    .entries()) {
    try {
      const [name, value] = parseLine(line) ?? [];
      if (name === undefined || value === undefined) continue;
      const first = lineOf.get(name);
      if (first !== undefined) throw new Error(`${name} is set a second time, after line ${first}`);
      lineOf.set(name, index + 1);
      values.set(name, value);
    } catch (error) {
      faults.push(`${path}:${index + 1}: ${(error as Error).message}`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return values;
}

/**
 * @returns the name and the value, or undefined for an empty line or a comment
 * @throws Error that describes the fault without the value
 */
function parseLine(line: string): [name: string, value: string] | undefined {
  if (UNPRINTABLE.test(line)) throw new Error('contains a control character or a byte-order mark');
  if (/^[ \t]*(?:#|$)/.test(line)) return undefined;
  const { name, rest = '' } = ASSIGNMENT.exec(line)?.groups ?? {};
  if (name === undefined)
    throw new Error('must be NAME=value, the name in letters, digits and _, or a comment that starts with #');
  const value = rest.replace(/^[ \t]+|[ \t]+$/g, '');
  if (/^["'`]/.test(value)) return [name, unquote(name, value)];
  // Within a word, "#" belongs to the value; after a blank, some readers start a comment there and others do not.
  if (/[ \t]#|^#(?:[ \t]|$)/.test(rest)) {
    throw new Error(`${name} contains # after a blank: put the value in quotes, or the comment on a line of its own`);
  }
  return [name, value];
}

function unquote(name: string, value: string): string {
  const { quote, text = '' } = QUOTED.exec(value)?.groups ?? {};
  if (quote === undefined) {
    throw new Error(
      `${name} must end with the quote with which it starts, on the same line; use another kind of quote around a ` +
        `value that contains ${value[0]}`,
    );
  }
  return quote === '"' ? text.replaceAll('\\n', '\n') : text;
}

function textOf(path: string, bytes: Uint8Array): string {
  try {
    return decodeText(bytes);
  } catch (error) {
    throw new ConfigError([`${path}: ${(error as Error).message}`]);
  }
}
