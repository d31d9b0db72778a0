import type { FastifyInstance } from 'fastify';
import { type DestinationStream, type Logger, pino } from 'pino';
import { isProbe } from './probe.ts';

export interface LoggerOptions {
  /** pino's level names, `silent` included. */
  readonly level: string;
  /** Where lines go; standard output when absent. */
  readonly destination?: DestinationStream;
}

/**
 * One JSON object a line. Requests are logged by method, route and status: never by URL, header or body, because those
 * hold what may not be readable anywhere.
 */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  const options = { level, base: { service: 'doorcode' }, serializers: { err: errorFields } };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/**
 * Is told of each answered request: its method (`none` where it could not be read), route (`none` for an address that is
 * not there), status and time.
 */
export type ObserveRequest = (method: string, route: string, status: number, ms: number) => void;

/** Writes one line for each answered request: at level `info`, health checks at level `debug`. */
export function registerRequestLog(app: FastifyInstance, observe?: ObserveRequest): void {
  const written = (app.log as Logger).isLevelEnabled('info');
  if (!written && observe === undefined) return;
  // With a callback: nothing here is waited for, and each request would pay for a promise.
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions, log } = request;
    const { elapsedTime, statusCode: status } = reply;
    if (written) {
      const level = isProbe(request) ? 'debug' : 'info';
      log[level]({ method, route: routeOptions.url ?? null, status, ms: Math.round(elapsedTime * 10) / 10 }, 'request');
    }
    observe?.(method, routeOptions.url ?? 'none', status, elapsedTime);
    done();
  });
}

/**
 * What is told of an error that nobody expected. Messages of libraries may quote their input, so runs of digits, where
 * codes and numbers would stand, are blotted out.
 */
export function errorFields(error: unknown): object {
  if (!(error instanceof Error)) {
    return { type: typeof error, ...(typeof error === 'string' ? { message: blot(error) } : {}) };
  }
  return {
    type: error.name,
    code: (error as NodeJS.ErrnoException).code,
    message: blot(error.message),
    stack: blot(error.stack ?? ''),
  };
}

function blot(text: string): string {
  return text.replaceAll(/\+?\d(?:[ ().-]{0,2}\d){5,}/g, '[digits]');
}
