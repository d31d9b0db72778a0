import type { EnvironmentReader } from './environment.ts';
import { type ApiKeyEntry, endOfDay, parseApiKeyEntry } from './verifications/api-keys.ts';

/** What the API for other servers goes by. */
export interface ApiSettings {
  readonly keys: readonly ApiKeyEntry[];
  /** Fixed codes by number, E.164. */
  readonly testNumbers: ReadonlyMap<string, string>;
  /** From when on test numbers are ordinary ones, milliseconds since the Unix epoch. */
  readonly testNumbersUntilMs: number;
}

/** @param digits length of a code */
export function readApi(env: EnvironmentReader, digits: number): ApiSettings {
  const keys = readKeys(env);
  const testNumbers = readTestNumbers(env, digits);
  const day = env.text('TEST_NUMBERS_UNTIL');
  const untilMs = day === undefined ? null : /^\d{4}-\d{2}-\d{2}$/.test(day) ? endOfDay(day) : null;
  if (day !== undefined && untilMs === null) env.fault('TEST_NUMBERS_UNTIL', 'must be a day such as 2027-01-31');
  if (day === undefined && testNumbers.size > 0) {
    env.fault('TEST_NUMBERS_UNTIL', 'is missing; TEST_NUMBERS needs the last day on which they are good');
  }
  return { keys, testNumbers, testNumbersUntilMs: untilMs ?? 0 };
}

function readKeys(env: EnvironmentReader): ApiKeyEntry[] {
  const texts = (env.secret('API_KEYS') ?? '').split(/[\s,]+/).filter((text) => text !== '');
  const entries = texts.map(parseApiKeyEntry);
  const bad = entries.indexOf(null);
  if (bad !== -1) {
    env.fault(
      'API_KEYS',
      `entry ${bad + 1} is not name:sha256hex or name:sha256hex:YYYY-MM-DD; make one with: doorcode api-key NAME`,
    );
  }
  const good = entries.filter((entry) => entry !== null);
  if (new Set(good.map(({ sha256 }) => sha256.toString('hex'))).size < good.length)
    env.fault('API_KEYS', 'names a key twice');
  const names = new Map(good.map(({ name }) => [name.toLowerCase(), name]));
  if (good.some(({ name }) => names.get(name.toLowerCase()) !== name)) {
    env.fault('API_KEYS', 'has names that differ in capital letters only; counts would take them for one');
  }
  return good;
}

function readTestNumbers(env: EnvironmentReader, digits: number): Map<string, string> {
  const numbers = new Map<string, string>();
  for (const text of env.list('TEST_NUMBERS')) {
    const { number, code } = /^(?<number>\+[1-9]\d{6,14}):(?<code>\d+)$/.exec(text)?.groups ?? {};
    if (number === undefined || code?.length !== digits) {
      env.fault(
        'TEST_NUMBERS',
        `must list numbers with a code of ${digits} digits, such as +15550100001:${'1234567890'.slice(0, digits)}`,
      );
      return numbers;
    }
    if (numbers.has(number)) env.fault('TEST_NUMBERS', 'names a number twice');
    numbers.set(number, code);
  }
  return numbers;
}
