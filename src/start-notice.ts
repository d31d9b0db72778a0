import type { Config } from './config.ts';
import { guessBudget, percent } from './limits/risk.ts';

/**
 * Where an HTTP server listens.
 *
 * @param host an address; one of IPv6 is put in brackets (RFC 3986 §3.2.2)
 */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * What a person who starts the service needs to know, line by line: where it listens, who can sign in, where codes go,
 * what a restart forgets, and how much guessing the limits leave.
 *
 * @param demoUser who signs in where no users are configured
 * @param metricsUrl where metrics are told, if anywhere
 */
export function startNotice(
  config: Config,
  url: string,
  demoUser: { readonly username: string; readonly phone: string },
  metricsUrl?: string,
): string[] {
  const lines = [`doorcode listens on ${url}`];
  if (config.users.kind === 'demo') {
    lines.push(`the one user is ${demoUser.username} with the password demo, phone ${demoUser.phone}`);
  }
  lines.push(
    config.delivery.includes('console')
      ? 'codes appear here, on the console'
      : `codes are sent by ${config.delivery.join(', then ')}`,
  );
  if (!config.keysGiven) lines.push('keys were made for this run: a restart signs everybody out');
  lines.push(
    config.redisUrl === undefined
      ? 'limits are counted in this process: run one replica; a restart forgets the counts'
      : `limits are shared in Redis; while it is away, ${config.limitsOnOutage === 'deny' ? 'sign-ins are refused' : 'each replica counts for itself'}`,
  );
  const { guessesPerDay, perDay, perYear } = guessBudget(config.limits, config.otpDigits);
  lines.push(
    `guess budget: who has a password gets ${guessesPerDay} guesses at its codes in 24 hours at the most, ` +
      `a chance of ${percent(perDay)}, and of ${percent(perYear)} in a year`,
  );
  lines.push(...proxyLines(config));
  if (metricsUrl !== undefined) lines.push(`metrics are on ${metricsUrl}`);
  return lines;
}

/** Host and port only: the URL of a proxy may contain a password. */
function proxyLines({ proxies: { https, http } }: Config): string[] {
  const line = (scheme: string, proxy: URL) =>
    `requests to ${scheme} addresses go through the proxy ${proxy.host}, except to those in NO_PROXY`;
  if (https !== undefined && https.href === http?.href) return [line('http and https', https)];
  return [...(https === undefined ? [] : [line('https', https)]), ...(http === undefined ? [] : [line('http', http)])];
}
