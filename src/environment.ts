import { readFileSync } from 'node:fs';
import { parseUrl } from './parse-url.ts';
import { decodeText, TextFileError } from './text-file.ts';

/** Every fault of the configuration, each told by the name of its setting. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n  ${faults.join('\n  ')}`,
    );
    this.faults = faults;
  }
}

/** A fault of the command line; the message says how it should be. */
export class UsageError extends Error {}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads settings by name and gathers what is wrong with them instead of stopping at the first fault. A setting that is
 * empty counts as not set, as in an env file that lists every name.
 */
export class EnvironmentReader {
  readonly faults: string[] = [];
  /** Every name that was asked for, in order of asking. */
  readonly names = new Set<string>();
  /** Names of {@link shared} variables in lower case. */
  readonly #sharedNames = new Set<string>();
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  fault(name: string, problem: string): void {
    this.faults.push(`${name}: ${problem}`);
  }

  text(name: string): string | undefined {
    this.names.add(name);
    const value = this.#env[name]?.trim();
    return value === '' ? undefined : value;
  }

  /**
   * A variable that many programs share, such as HTTPS_PROXY. Its name in lower case takes precedence, as in curl.
   *
   * @param kind `secret`: the name in upper case may be read from a file, see {@link secret}
   * @returns the value, and the name that it was found by, for faults
   */
  shared(
    name: string,
    kind: 'text' | 'secret' = 'text',
  ): { readonly name: string; readonly value: string | undefined } {
    this.#sharedNames.add(name.toLowerCase());
    const lower = this.#env[name.toLowerCase()]?.trim();
    const value = kind === 'secret' ? this.secret(name) : this.text(name);
    return lower === undefined || lower === '' ? { name, value } : { name: name.toLowerCase(), value: lower };
  }

  /** A variable of another specification, which is documented there: it is not one of our settings. */
  foreign(name: string): string | undefined {
    const value = this.#env[name]?.trim();
    return value === '' ? undefined : value;
  }

  /** A setting that may also stand in the file that `NAME_FILE` names, as container secrets do. */
  secret(name: string): string | undefined {
    const value = this.text(name);
    const file = this.#env[`${name}_FILE`]?.trim();
    if (file === undefined || file === '') return value;
    if (value !== undefined) {
      this.fault(name, `set either ${name} or ${name}_FILE, not both`);
      return value;
    }
    try {
      const content = decodeText(readFileSync(file)).trim();
      if (content !== '') return content;
      this.fault(`${name}_FILE`, 'the file is empty');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const problem = error instanceof TextFileError ? message : `cannot be read (${code})`;
      this.fault(`${name}_FILE`, `the file ${problem}`);
    }
    return undefined;
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    this.fault(name, `must be a whole number from ${min} to ${max}`);
    return fallback;
  }

  oneOf<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) this.fault(name, `must be one of: ${choices.join(', ')}`);
    return choice ?? fallback;
  }

  /**
   * Adds a fault for each variable whose name differs from an unset setting only in case, such as `node_env`: without it the
   * service would start as if the setting were missing. Names without the underscores (`APPNAME`) are not checked, because
   * other programs use them. To be called when all settings have been read.
   */
  checkSpelling(): void {
    const unset = [...this.names]
      .flatMap((name) => [name, `${name}_FILE`])
      .filter((name) => this.foreign(name) === undefined);
    const settings = new Set(unset);
    for (const name of Object.keys(this.#env)) {
      const setting = name.toUpperCase();
      if (!settings.has(setting) || this.foreign(name) === undefined || this.#sharedNames.has(name)) continue;
      this.fault(name, `is no setting; write ${setting}`);
    }
  }

  /** Comma-separated; blanks around the parts do not count. */
  list(name: string): string[] {
    return splitList(this.text(name));
  }

  /** A URL over http or https, without credentials. */
  url(name: string): URL | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const url = parseUrl(text);
    const usable =
      url !== undefined &&
      /^https?:$/.test(url.protocol) &&
      url.username === '' &&
      url.password === '' &&
      hasPlainHost(url);
    if (!usable) this.fault(name, 'must be an http or https URL without credentials');
    return usable ? url : undefined;
  }

  /** Comma-separated origins: scheme, host and port, nothing behind. */
  origins(name: string): string[] {
    const list = this.list(name);
    const bad = list.filter((text) => !isOrigin(text));
    if (bad.length > 0) this.fault(name, 'each must be an origin such as https://app.example.com, without a path');
    return list.filter(isOrigin).map((text) => new URL(text).origin);
  }
}

/** In any spelling that a URL parser reads as an origin alone; a wildcard is none, it would match nothing. */
export function isOrigin(text: string): boolean {
  const url = /^https?:\/\/[^\s/\\?#@*]+\/?$/i.test(text) ? parseUrl(text) : undefined;
  return url !== undefined && hasPlainHost(url);
}

/**
 * Whether the host of a URL has only characters of names and addresses. URL parsers accept more, such as `;` and `,`, which
 * separate the parts of a Content-Security-Policy.
 */
function hasPlainHost({ hostname }: URL): boolean {
  return /^(?:[a-z\d_.-]+|\[[\da-f:.]+\])$/.test(hostname);
}

export function splitList(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
