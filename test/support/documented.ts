import { AssertionError } from 'node:assert';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { type AppPorts, buildApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { createAssertions } from '../../src/gateway/assertion.ts';
import { createLogger } from '../../src/http/logging.ts';
import { createMemoryLimits } from '../../src/limits/memory.ts';
import type { ApiDocument, DocumentedResponse } from '../../src/openapi/document.ts';
import { deriveKeys } from '../../src/seal/keys.ts';
import { fakeClock } from './fake-clock.ts';
import { schemaController } from './schema-controller.ts';

/** What makes every route exist. */
export const EVERYTHING = {
  env: { PLIVO_AUTH_ID: 'MADEMO', PLIVO_AUTH_TOKEN: 'token', PLIVO_NUMBER: '+15550100197' },
  receiptKeys: { signalwire: 'key', twilio: 'token' },
} as const;

/** Addresses and methods that are not there; a path that cannot be read; a browser that tells of another site. */
const ANYWHERE: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  403: 'cross_site_request',
  404: 'not_found',
  405: 'method_not_allowed',
};

/** Headers that a client may need, so that the document has to name them. */
const HEADERS = ['Location', 'Set-Cookie', 'Retry-After', 'WWW-Authenticate'];

interface Described {
  readonly paths: ApiDocument['paths'];
  validate(path: string, method: string, status: number, type: string): ValidateFunction;
  readonly problem: ValidateFunction;
}

let described: Promise<Described> | undefined;

/**
 * Holds an answer against the document of the service with everything turned on: its status, its media type, its
 * headers, its body, which may have no members that the document does not name.
 *
 * @throws AssertionError that says what is not documented
 */
export async function assertDocumented(
  app: FastifyInstance,
  method: string,
  url: string,
  { statusCode, headers, body }: LightMyRequestResponse,
): Promise<void> {
  described ??= describeEverything();
  const { paths, problem, validate } = await described;
  const path = pathOf(url, paths);
  // Authentication subrequests have any method and any path behind ours; the document has their GET.
  const isSubrequest = path === '/auth' || path === '/auth/redirect';
  const asked = method === 'HEAD' || isSubrequest ? 'get' : method.toLowerCase();
  const type = String(headers['content-type'] ?? '').replace(/;.*/, '');
  const fail = (what: string): never => {
    throw new AssertionError({ message: `not documented: ${method} ${path ?? url} answered ${what}` });
  };
  const check = (validator: ValidateFunction) => {
    const value: unknown = JSON.parse(body);
    if (!validator(value)) fail(`${statusCode} ${body}: ${JSON.stringify(validator.errors)}`);
    return value;
  };

  const operation = path === undefined ? undefined : paths[path]?.[asked];
  const exists =
    path !== undefined && (path.includes('{') || app.hasRoute({ method: asked.toUpperCase() as 'GET', url: path }));
  if (path === undefined || operation === undefined || !exists) {
    if (method === 'OPTIONS' && statusCode === 204) return;
    const code = ANYWHERE[statusCode] ?? fail(String(statusCode));
    if (type === 'text/html' || body === '') return;
    if (type !== 'application/problem+json') fail(`${statusCode} with ${type}`);
    if ((check(problem) as { code: string }).code !== code) fail(`${statusCode} ${body}`);
    return;
  }

  const response: DocumentedResponse = operation.responses[statusCode] ?? fail(String(statusCode));
  for (const name of HEADERS) {
    if (headers[name.toLowerCase()] !== undefined && response.headers?.[name] === undefined) {
      fail(`${statusCode} with the header ${name}`);
    }
  }
  if (method === 'HEAD') return;
  const types = Object.keys(response.content ?? {});
  if (types.length === 0 && body === '') return;
  if (!types.includes(type)) fail(`${statusCode} with ${type || 'no type'}`);
  if (type.endsWith('json')) check(validate(path, asked, statusCode, type));
}

/** The path of the document that stands for an address. */
function pathOf(url: string, paths: ApiDocument['paths']): string | undefined {
  const path = url.replace(/\?.*/s, '');
  // A gateway may put the path of the original request behind ours.
  for (const prefix of ['/auth/redirect', '/auth'])
    if (path.startsWith(`${prefix}/`) && paths[path] === undefined) return prefix;
  if (paths[path] !== undefined) return path;
  return Object.keys(paths).find(
    (template) => template.includes('{') && new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
}

async function describeEverything(): Promise<Described> {
  const document = await everyRouteDocument();
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema(closed(document) as object, 'document');
  const cache = new Map<string, ValidateFunction>();
  const compile = (...keys: string[]) => {
    const $ref = `document#/${keys.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
    const validator = cache.get($ref) ?? ajv.compile({ $ref });
    cache.set($ref, validator);
    return validator;
  };
  return {
    paths: document.paths,
    problem: compile('components', 'schemas', 'Problem'),
    validate: (path, method, status, type) =>
      compile('paths', path, method, 'responses', String(status), 'content', type, 'schema'),
  };
}

/** The document of a service with every route there is. */
export async function everyRouteDocument(): Promise<ApiDocument> {
  const config = readConfig({ NODE_ENV: 'test', ...EVERYTHING.env });
  const clock = fakeClock();
  const app = await buildApp(config, {
    clock,
    random: (length) => new Uint8Array(length),
    logger: createLogger({ level: 'silent' }),
    keys: deriveKeys(config.masterKeys),
    limits: createMemoryLimits({ clock }),
    delivery: { channels: ['sms', 'voice'] } as unknown as AppPorts['delivery'],
    directory: {} as AppPorts['directory'],
    compose: (outgoing) => ({ ...outgoing, text: '' }),
    mask: () => '',
    receiptKeys: EVERYTHING.receiptKeys,
    assertions: createAssertions({ keys: [Buffer.alloc(32, 1)], issuer: config.origin, audience: ['app'], clock }),
    lifecycle: { draining: false },
    readiness: {},
    schemaController,
  });
  const document = (await app.inject('/openapi.json')).json() as ApiDocument;
  await app.close();
  return document;
}

/** Clients have to bear members that are added later, so schemas of answers are open; here nothing may be added. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, closed(member)]));
  const { type, properties, required, additionalProperties } = copy;
  const isAnswer = type === 'object' && properties !== undefined && required !== undefined;
  return isAnswer && additionalProperties === undefined ? { ...copy, additionalProperties: false } : copy;
}
