import { readFileSync } from 'node:fs';
import Fastify, { type FastifySchema, type HTTPMethods } from 'fastify';
import type { GatheredRoute } from './gather.ts';
import { type Answer, answerHeaders, groups, type Operation } from './operation.ts';
import { problemResponse, problemSchema, problemsOf } from './problem.ts';

/** What the document says of the service beyond its routes. */
export interface About {
  /** Where users reach us. */
  readonly origin: string;
  readonly cookieNames: Readonly<Record<'challenge' | 'session', string>>;
}

/** A JSON Schema, as far as it is read here. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly allOf?: readonly Schema[];
}

export interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

export interface DocumentedResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly description?: string; readonly schema: Schema }>>;
  readonly content?: Readonly<Record<string, Media>>;
}

export interface DocumentedOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
}

/** OpenAPI 3.1, as far as it is read here. */
export interface ApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly securitySchemes: object };
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
}

const JSON_OR_FORM = ['application/json', 'application/x-www-form-urlencoded'];

const INFO = `One-time passwords, with no database. A client that prefers \`text/html\`, a browser, gets pages and
redirects, every other JSON. Bodies are JSON or forms, of 16 KiB at most for a login and 1 or 2 KiB else; unknown members are refused. No answer may be
kept. A request that changes something is refused when the browser says that another site caused it.`.replaceAll(
  '\n',
  ' ',
);

/**
 * Makes the OpenAPI document of the routes that have been described. The plugin that reads schemas lives in an app of its
 * own that never listens: it takes as long to load as a tenth of our start.
 */
export async function buildDocument(routes: readonly GatheredRoute[], about: About): Promise<ApiDocument> {
  const { default: swagger } = await import('@fastify/swagger');
  // Schemas are read here, never run.
  const app = Fastify({ exposeHeadRoutes: false });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'doorcode',
        version: packageVersion(),
        description: INFO,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: about.origin }],
      tags: Object.entries(groups)
        .filter(([name]) => routes.some(({ operation }) => operation?.group === name))
        .map(([name, description]) => ({ name, description })),
      components: {
        schemas: { Problem: problemSchema as never },
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'an API key, `dk_…`' },
          challenge: { type: 'apiKey', in: 'cookie', name: about.cookieNames.challenge, description: 'an open login' },
          session: { type: 'apiKey', in: 'cookie', name: about.cookieNames.session, description: 'who is signed in' },
        },
      },
    },
    convertConstToEnum: false,
  });
  const optional = new Set<string>();
  const told = new Set<string>();
  const order = Object.keys(groups);
  const placeOf = ({ operation }: GatheredRoute) => order.indexOf(operation?.group ?? '');
  for (const route of routes.toSorted((a, b) => placeOf(a) - placeOf(b))) {
    const { method, url, operation } = route;
    if (operation === undefined || told.has(operation.id)) continue;
    told.add(operation.id);
    if (operation.bodyOptional) optional.add(operation.id);
    app.route({
      method: method as HTTPMethods,
      url: operation.path ?? url,
      schema: described(route, operation),
      handler: () => {},
    });
  }
  await app.ready();
  const document = app.swagger() as unknown as ApiDocument;
  // The plugin takes every body for a required one.
  for (const operations of Object.values(document.paths)) {
    for (const { operationId, requestBody } of Object.values(operations)) {
      if (optional.has(operationId)) Object.assign(requestBody ?? {}, { required: false });
    }
  }
  return document;
}

/** A route's schemas with all that the plugin is to tell of it. */
function described(route: GatheredRoute, operation: Operation): FastifySchema {
  const { body, querystring, response } = route.schema;
  const { answers, credentials, description, form, group, id, query, summary } = operation;
  const schemas = (response ?? {}) as Record<string, object>;
  const successes = Object.entries(answers).map(([status, answer]) => [status, success(answer, schemas[status])]);
  const failures = [...problemsOf(route)].map(([status, codes]) => [
    String(status),
    problemResponse(status, codes, operation),
  ]);
  const security = credentials?.anyOf.map((name) => ({ [name]: [] })) ?? [];
  const params = operation.path?.includes(':') ? { type: 'object', properties: pathParameters(operation.path) } : null;
  return {
    operationId: id,
    tags: [group],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(params === null ? {} : { params }),
    ...((querystring ?? query) === undefined ? {} : { querystring: querystring ?? query }),
    ...((body ?? form) === undefined ? {} : { body: body ?? form }),
    consumes: form === undefined ? JSON_OR_FORM : JSON_OR_FORM.slice(1),
    ...(credentials === undefined ? {} : { security: credentials.optional ? [...security, {}] : security }),
    response: Object.fromEntries([...successes, ...failures]),
  } as FastifySchema;
}

function success({ description, type, headers = [] }: Answer, schema: object | undefined): object {
  const named = Object.fromEntries(headers.map((name) => [name, answerHeaders[name]]));
  const shown = { description, ...(headers.length > 0 ? { headers: named } : {}) };
  if (schema !== undefined) {
    const { examples, ...rest } = schema as { examples?: readonly unknown[] };
    const example = examples?.[0];
    return {
      ...shown,
      content: { 'application/json': { schema: rest, ...(example === undefined ? {} : { example }) } },
    };
  }
  if (type === undefined) return { ...shown, type: 'null' };
  const media = (each: string) => [each, { schema: { type: each === 'application/json' ? 'object' : 'string' } }];
  return { ...shown, content: Object.fromEntries([type].flat().map(media)) };
}

function pathParameters(path: string): Record<string, object> {
  return Object.fromEntries([...path.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, { type: 'string' }]));
}

function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
