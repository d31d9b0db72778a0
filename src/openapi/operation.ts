import type { ProblemCode } from '../errors.ts';

/** Parts of the API, in the order in which they are shown. */
export const groups = {
  'sign-in': 'Password first, then a code: for people, as JSON or as pages. An open login lives in a sealed cookie.',
  session: 'Who is signed in, and signing out.',
  verifications: 'Proving phone numbers for other servers, with an API key. An open verification lives in its `id`.',
  gateway: 'For gateways, and for the apps behind them.',
  callbacks: 'What providers of messages and calls ask for, and tell; only those of providers that are set up.',
  service: 'Health, and this description.',
} as const;

export type Group = keyof typeof groups;

/** Who may call: with an API key, with a cookie, or with either cookie or none. */
export type Credential = 'apiKey' | 'challenge' | 'session';

/** Headers that an answer may carry and a client may need. */
export type AnswerHeader = 'Location' | 'Set-Cookie';

export type MediaType =
  | 'application/json'
  | 'application/xml'
  | 'image/png'
  | 'image/svg+xml'
  | 'text/css'
  | 'text/html'
  | 'text/javascript';

/** An answer that is no failure. */
export interface Answer {
  readonly description: string;
  /** What its body is, where the route has no response schema for the status; without both, it has none. */
  readonly type?: MediaType | readonly MediaType[];
  readonly headers?: readonly AnswerHeader[];
}

/** What the description of the API tells of a route beyond the schemas that it validates with. */
export interface Operation {
  /** A name for generated clients, unique. */
  readonly id: string;
  readonly group: Group;
  /** What it does, in one line. */
  readonly summary: string;
  readonly description?: string;
  /** By status; those of the response schemas, and those of pages. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** How it may fail, beyond what every route with its method may answer. */
  readonly errors?: readonly ProblemCode[];
  /** Headers that its failures may carry as well. */
  readonly failureHeaders?: readonly AnswerHeader[];
  /** Whether a browser never comes here, so that failures are never shown as a page. */
  readonly jsonOnly?: boolean;
  /** One of these is asked for; every one of them may be missing where `optional`. */
  readonly credentials?: { readonly anyOf: readonly Credential[]; readonly optional?: boolean };
  /** Whether it is answered in an overload as well: by it others know how the service is. */
  readonly alwaysAnswered?: boolean;
  /** Whether the body may be left out. */
  readonly bodyOptional?: boolean;
  /** Query parameters that are read but refuse nothing; a JSON Schema of an object. */
  readonly query?: object;
  /** Its body, where it is not validated by a schema; a JSON Schema of an object, sent as a form. */
  readonly form?: object;
  /** Its path in the description, where the address itself changes from version to version. */
  readonly path?: string;
}

/** What such a header says, as a schema. */
export const answerHeaders: Readonly<Record<AnswerHeader, object>> = {
  Location: { type: 'string', description: 'where to go on' },
  'Set-Cookie': { type: 'string', description: 'sealed, HttpOnly' },
};

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation;
  }
}
