import { parse } from 'node:querystring';
import type { FastifyInstance } from 'fastify';
import { DoorcodeError } from '../errors.ts';

/** No form of ours and no callback of a provider has more than half as many fields. */
const MAX_FIELDS = 64;

/**
 * Parses bodies of the type `application/x-www-form-urlencoded`. A body with too many fields is refused before it is
 * parsed, because `a&a&a…` costs far more to parse and to validate than its size suggests.
 */
export function registerFormBody(app: FastifyInstance): void {
  app.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      if (countFields(body) > MAX_FIELDS) {
        done(new DoorcodeError('invalid_request', { detail: `a form may have ${MAX_FIELDS} fields at most` }));
        return;
      }
      done(null, parse(body));
    },
  );
}

function countFields(body: string): number {
  let fields = 1;
  for (let at = body.indexOf('&'); at >= 0; at = body.indexOf('&', at + 1)) fields += 1;
  return fields;
}
