import { createRequire } from 'node:module';
import type { FastifyServerOptions } from 'fastify';

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>;
type Factories = NonNullable<SchemaController['compilersFactory']>;
type Factory = (externalSchemas: unknown, options: unknown) => (route: { readonly schema: unknown }) => unknown;

// The compilers that Fastify itself uses.
const requireOfFastify = createRequire(createRequire(import.meta.url).resolve('fastify'));

const buildValidator = cached(requireOfFastify('@fastify/ajv-compiler')());
const buildSerializer = cached(requireOfFastify('@fastify/fast-json-stringify-compiler')());

/**
 * Fastify's compilers, which compile each schema once in this process and not once for each app: the tests build hundreds
 * of apps with the same routes.
 */
export const schemaController: SchemaController = {
  compilersFactory: {
    buildValidator: buildValidator as Factories['buildValidator'],
    buildSerializer: buildSerializer as Factories['buildSerializer'],
  } as Factories,
};

/** The same, but values are coerced to the type that the schema wants. */
export const coercingSchemaController: SchemaController = {
  compilersFactory: {
    buildValidator: ((externalSchemas: unknown, options: { readonly customOptions: object }) =>
      buildValidator(externalSchemas, {
        ...options,
        customOptions: { ...options.customOptions, coerceTypes: 'array' },
      })) as unknown as Factories['buildValidator'],
    buildSerializer: buildSerializer as Factories['buildSerializer'],
  } as Factories,
};

function cached(build: Factory): Factory {
  const compiled = new Map<string, unknown>();
  return (externalSchemas, options) => {
    const compile = build(externalSchemas, options);
    return (route) => {
      const key = JSON.stringify([externalSchemas, options, route.schema]);
      const known = compiled.get(key) ?? compile(route);
      compiled.set(key, known);
      return known;
    };
  };
}
