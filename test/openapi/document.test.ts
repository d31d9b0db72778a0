import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { problems } from '../../src/errors.ts';
import { type ApiDocument, buildDocument, type Media } from '../../src/openapi/document.ts';
import { type GatheredRoute, gatherRoutes } from '../../src/openapi/gather.ts';
import { testApp } from '../support/build-app.ts';
import { everyRouteDocument } from '../support/documented.ts';

const COMMITTED = new URL('../../docs/openapi.json', import.meta.url);
const ABOUT = { origin: 'https://login.example.com', cookieNames: { challenge: 'c', session: 's' } };

async function documentOf(env: Record<string, string> = {}): Promise<ApiDocument> {
  const { get } = await testApp({ env });
  return (await get('/openapi.json')).json();
}

const operationsOf = ({ paths }: ApiDocument) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  );

t.test('a validator of OpenAPI 3.1 finds nothing wrong with it', async (t) => {
  for (const document of [await documentOf(), await everyRouteDocument()]) {
    const { valid, errors } = await new Validator().validate(document as never);
    t.ok(valid, JSON.stringify(errors));
  }
  const { valid } = await new Validator().validate({ openapi: '3.1.0', info: {}, paths: {} });
  t.notOk(valid, 'it does look');
});

t.test('every schema in it is one: the service itself does not look', async (t) => {
  const ajv = new Ajv2020({ strict: false });
  let schemas = 0;
  const look = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (name === 'schema') {
        schemas += 1;
        t.ok(ajv.validateSchema(member), `${path}: ${JSON.stringify(ajv.errors)}`);
      } else if (name !== 'example' && name !== 'examples') look(member, `${path}/${name}`);
    }
  };
  look((await everyRouteDocument()).paths, '');
  t.ok(schemas > 50, `${schemas} schemas`);
  t.notOk(ajv.validateSchema({ type: 'string', minLength: -1 }), 'it does look');
});

t.test('the committed one is up to date: npm run openapi', async (t) => {
  t.strictSame(JSON.parse(readFileSync(COMMITTED, 'utf8')), await everyRouteDocument());
});

t.test('every route is in it, under a name of its own', async (t) => {
  // Fastify tells of each app that is made; the first is the service's.
  const gathered: (readonly GatheredRoute[])[] = [];
  const note = (message: unknown) => {
    gathered.push(gatherRoutes((message as { fastify: FastifyInstance }).fastify));
  };
  subscribe('fastify.initialization', note);
  const operations = operationsOf(await everyRouteDocument());
  unsubscribe('fastify.initialization', note);
  const routes = (gathered[0] ?? []).filter(({ url }) => !url.startsWith('/assets/'));
  t.ok(routes.length >= 18);
  t.strictSame(
    [...routes.map(({ method, url }) => `${method} ${url}`), 'GET /assets/{file}'].toSorted(),
    operations.map(({ name }) => name).toSorted(),
  );
  const ids = operations.map(({ operation }) => operation.operationId);
  t.strictSame(ids, [...new Set(ids)]);
});

t.test('routes of senders that are not set up are not in it', async (t) => {
  const { paths, tags } = await documentOf();
  t.strictSame(
    Object.keys(paths).filter((path) => path.startsWith('/callbacks')),
    [],
  );
  t.notOk(tags.some(({ name }) => name === 'callbacks'));
});

t.test('every code is told of, and all but one by the routes that give it', async (t) => {
  const document = await everyRouteDocument();
  const told = operationsOf(document).flatMap(({ operation }) =>
    Object.values(operation.responses).flatMap(({ content = {} }) =>
      Object.keys(content['application/problem+json']?.examples ?? {}),
    ),
  );
  const codes = Object.keys(problems);
  t.strictSame(document.components.schemas['Problem']?.properties?.['code']?.enum, codes);
  t.strictSame(
    codes.filter((code) => !told.includes(code)),
    // No route gives it: it is about a method that a route does not have.
    ['method_not_allowed'],
  );
});

t.test('every example is what its schema says', async (t) => {
  const document = await everyRouteDocument();
  const ajv = new Ajv2020({ strict: false });
  formats.default(ajv);
  ajv.addSchema(document, 'document');
  let examples = 0;
  const check = (pointer: string[], media: Readonly<Record<string, Media>> = {}) => {
    for (const [type, { example, examples: several = {} }] of Object.entries(media)) {
      const path = [...pointer, type, 'schema'].map((key) => encodeURIComponent(key.replaceAll('/', '~1'))).join('/');
      const validate = ajv.compile({ $ref: `document#/${path}` });
      const values = [...(example === undefined ? [] : [example]), ...Object.values(several).map(({ value }) => value)];
      examples += values.length;
      for (const value of values) t.ok(validate(value), `${path}: ${JSON.stringify(validate.errors)}`);
    }
  };
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { requestBody, responses }] of Object.entries(methods)) {
      check(['paths', path, method, 'requestBody', 'content'], requestBody?.content);
      for (const [status, { content }] of Object.entries(responses)) {
        check(['paths', path, method, 'responses', status, 'content'], content);
      }
    }
  }
  t.ok(examples > 100);
});

t.test('it tells what is configured: the origin, the names of the cookies, the length of a code', async (t) => {
  const document = await documentOf({ ORIGIN: 'https://login.example.com', OTP_DIGITS: '8' });
  t.strictSame(document.servers, [{ url: 'https://login.example.com' }]);
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  t.equal(document.info.version, version);
  t.match(document.components.securitySchemes, {
    apiKey: { type: 'http', scheme: 'bearer' },
    challenge: { type: 'apiKey', in: 'cookie', name: '__Host-doorcode-challenge' },
    session: { type: 'apiKey', in: 'cookie', name: '__Host-doorcode-session' },
  });
  const body = (path: string) => document.paths[path]?.['post']?.requestBody?.content['application/json'];
  t.equal(body('/otp')?.schema.properties?.['otp']?.pattern, '^[0-9]{8}$');
  t.equal(body('/verifications/check')?.schema.properties?.['code']?.pattern, '^[0-9]{8}$');
  t.strictSame(body('/otp')?.example, { otp: '48291506' });
});

t.test('who may call, and whether a body can be left out', async (t) => {
  const { paths } = await documentOf();
  t.strictSame(paths['/verifications']?.['post']?.security, [{ apiKey: [] }]);
  t.strictSame(paths['/session']?.['get']?.security, [{ session: [] }]);
  t.strictSame(paths['/logout']?.['post']?.security, [{ session: [] }, { challenge: [] }, {}]);
  t.equal(paths['/healthz']?.['get']?.security, undefined);
  t.equal(paths['/otp/resend']?.['post']?.requestBody?.required, false);
  t.equal(paths['/otp']?.['post']?.requestBody?.required, true);
});

t.test('times come as the service wrote them', async (t) => {
  const { login } = await testApp();
  const { response } = await login();
  t.match(response.body, /"expiresAt":"2030-01-01T\d\d:\d\d:\d\dZ"/);
});

t.test('a route that nobody has described is left out, and one name is told once', async (t) => {
  const operation = { id: 'one', group: 'service', summary: 'One', answers: { 204: { description: 'Done' } } } as const;
  const route: GatheredRoute = { method: 'POST', url: '/one', schema: {}, operation };
  const document = await buildDocument(
    [route, { ...route, url: '/again' }, { ...route, url: '/two', operation: undefined }],
    ABOUT,
  );
  t.strictSame(Object.keys(document.paths), ['/one']);
  t.strictSame(document.paths['/one']?.['post']?.responses['204'], { description: 'Done' });
});
