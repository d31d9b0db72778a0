import type { DestinationStream } from 'pino';

const RESET = '\u001b[0m';
const DIM = '\u001b[2m';
const COLOURS: Readonly<Record<number, readonly [name: string, colour: string]>> = {
  10: ['trace', DIM],
  20: ['debug', DIM],
  30: ['info', '\u001b[32m'],
  40: ['warn', '\u001b[33m'],
  50: ['error', '\u001b[31m'],
  60: ['fatal', '\u001b[31m'],
};
/** Said once for a run, or of no use in a terminal. */
const LEFT_OUT: ReadonlySet<string> = new Set(['level', 'time', 'service', 'msg', 'event', 'err', 'reqId']);

/**
 * Log lines for a person at a terminal, in development: the time, the level in colour, what happened, then its fields.
 *
 * @param write is handed each line, with its line break
 */
export function prettyLines(write: (line: string) => void): DestinationStream {
  return { write: (line) => write(prettyLine(line)) };
}

function prettyLine(line: string): string {
  const fields = JSON.parse(line) as Record<string, unknown> & { level: number; time: number; msg?: string };
  const [name, colour] = COLOURS[fields.level] ?? ['log', ''];
  const time = new Date(fields.time).toTimeString().slice(0, 8);
  const rest = Object.entries(fields)
    .filter(([key]) => !LEFT_OUT.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const { stack, message } = (fields['err'] ?? {}) as { stack?: string; message?: string };
  const error = fields['err'] === undefined ? '' : `\n${DIM}${stack || message}${RESET}`;
  const about = rest.length === 0 ? '' : ` ${DIM}${rest.join(' ')}${RESET}`;
  return `${DIM}${time}${RESET} ${colour}${name.padEnd(5)}${RESET} ${fields.msg ?? ''}${about}${error}\n`;
}
