import { UsageError } from '../environment.ts';
import { isHttpUrl, isLoopbackHost } from '../loopback.ts';

/**
 * What may be attacked: this machine, and any other host only when somebody says that it is theirs.
 *
 * @returns the origin
 * @throws UsageError that says what is wrong with it
 */
export function parseTarget(text: string, owned: boolean): string {
  if (!isHttpUrl(text)) throw new UsageError('URL must be that of a deployment: http://127.0.0.1:3000');
  const { origin, hostname } = new URL(text);
  if (owned || isLoopbackHost(hostname)) return origin;
  throw new UsageError(
    `${hostname} is not this machine. Attack nothing that is not yours; if it is: --i-own-this-host`,
  );
}

/**
 * The URL of the operator's own app behind the gateway, under the same rule.
 *
 * @returns the URL with its path
 * @throws UsageError that says what is wrong with it
 */
export function parseApp(text: string, owned: boolean): string {
  if (!isHttpUrl(text)) throw new UsageError('--app must be the URL of an app: https://app.example.com/');
  parseTarget(text, owned);
  return new URL(text).href;
}

/**
 * Reads `HOST:PORT`, an IPv6 address in brackets.
 *
 * @throws UsageError when it is none
 */
export function parseHostPort(text: string): { readonly host: string; readonly port: number } {
  const { host, port } = /^(?<host>\[[\da-f:.]+\]|[^\s:/@[\]]+):(?<port>\d{1,5})$/i.exec(text)?.groups ?? {};
  if (host === undefined || Number(port) > 65_535)
    throw new UsageError('--inbox must be HOST:PORT, such as 127.0.0.1:8026');
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}
