import { curlCommand } from './curl.ts';
import type { ApiDocument, DocumentedOperation, DocumentedResponse, Schema } from './document.ts';

/** What is sent, or comes back: one member of a body, or one parameter. */
export interface Field {
  readonly name: string;
  readonly where: 'body' | 'query' | 'path';
  readonly required: boolean;
  readonly type: string;
  readonly description: string;
}

/** An answer that is no failure. */
export interface Success {
  readonly status: string;
  readonly description: string;
  readonly types: readonly string[];
  readonly headers: readonly string[];
  readonly fields: readonly Field[];
  /** A body as it may come back, indented. */
  readonly example: string | undefined;
}

export interface Failure {
  readonly status: string;
  readonly code: string;
  readonly title: string;
}

/** One operation as the page shows it. */
export interface Section {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  /** What a caller needs to have, as a sentence, or nothing. */
  readonly needs: string;
  readonly takes: readonly string[];
  readonly fields: readonly Field[];
  readonly successes: readonly Success[];
  readonly failures: readonly Failure[];
  readonly curl: string;
}

/** One part of the API as the page shows it. */
export interface Chapter {
  readonly name: string;
  readonly description: string;
  readonly sections: readonly Section[];
}

const NEEDS: Readonly<Record<string, string>> = {
  apiKey: 'an API key, as bearer token',
  challenge: 'the challenge cookie',
  session: 'the session cookie',
};

/** All that the page shows. */
export interface DocsPage {
  readonly description: string;
  /** What every failure has in common. */
  readonly problem: { readonly description: string; readonly fields: readonly Field[] };
  readonly chapters: readonly Chapter[];
}

/** The document, put in the order and the words of a page. */
export function docsPageOf(document: ApiDocument): DocsPage {
  const problem = document.components.schemas['Problem'];
  return {
    description: document.info.description,
    problem: { description: problem?.description ?? '', fields: fieldsOf(problem).map(withoutCodes) },
    chapters: chaptersOf(document),
  };
}

/** Each route tells its own codes; all of them in one cell would be too much. */
function withoutCodes(field: Field): Field {
  return field.name === 'code' ? { ...field, type: 'string', description: 'one of those below' } : field;
}

function chaptersOf({ paths, servers, tags }: ApiDocument): Chapter[] {
  const origin = servers[0]?.url ?? '';
  const sections = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      tag: operation.tags[0],
      section: sectionOf(origin, method.toUpperCase(), path, operation),
    })),
  );
  return tags.map(({ name, description }) => ({
    name: name.replace(/^./, (first) => first.toUpperCase()),
    description,
    sections: sections.filter(({ tag }) => tag === name).map(({ section }) => section),
  }));
}

function sectionOf(origin: string, method: string, path: string, operation: DocumentedOperation): Section {
  const {
    description = '',
    operationId: id,
    parameters = [],
    requestBody,
    responses,
    security = [],
    summary,
  } = operation;
  const body = Object.entries(requestBody?.content ?? {});
  return {
    id,
    method,
    path,
    summary,
    description,
    needs: needsOf(security),
    takes: body.map(([type]) => type),
    fields: [
      ...parameters.map(({ name, in: where, required = false, description: words = '', schema }) => ({
        name,
        where: where as Field['where'],
        required,
        type: typeOf(schema),
        description: words,
      })),
      ...fieldsOf(body[0]?.[1].schema),
    ],
    successes: Object.entries(responses)
      .filter(([, { content = {} }]) => !isFailure(content))
      .map(successOf),
    failures: Object.entries(responses).flatMap(([status, response]) => failuresOf(status, response)),
    curl: curlCommand(origin, method, path, operation),
  };
}

function needsOf(security: NonNullable<DocumentedOperation['security']>): string {
  const choices = security.map((choice) => Object.keys(choice).map((name) => NEEDS[name] ?? name));
  const names = choices.filter((all) => all.length > 0).map((all) => all.join(' and '));
  if (names.length === 0) return '';
  return names.length < choices.length
    ? `Reads ${names.join(' or ')}, if there is one.`
    : `Needs ${names.join(' or ')}.`;
}

const isFailure = (content: NonNullable<DocumentedResponse['content']>) => 'application/problem+json' in content;

function successOf([status, { content = {}, description, headers = {} }]: [string, DocumentedResponse]): Success {
  const json = content['application/json'];
  const example = json?.example;
  return {
    status,
    description,
    types: Object.keys(content),
    headers: Object.keys(headers),
    fields: fieldsOf(json?.schema),
    example: example === undefined ? undefined : JSON.stringify(example, null, 2),
  };
}

function failuresOf(status: string, { content = {} }: DocumentedResponse): Failure[] {
  const examples = content['application/problem+json']?.examples ?? {};
  return Object.entries(examples).map(([code, { value }]) => ({
    status,
    code,
    title: (value as { title: string }).title,
  }));
}

function fieldsOf({ properties = {}, required = [] }: Schema = {}): Field[] {
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    where: 'body',
    required: required.includes(name),
    type: typeOf(schema),
    description: schema.description ?? '',
  }));
}

/** A schema in a few words: `string`, `"sms" or "voice"`, `string like ^[0-9]{6}$`. */
export function typeOf({ const: only, enum: values, format, items, maxLength, pattern, type = 'any' }: Schema): string {
  if (only !== undefined) return JSON.stringify(only);
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(' or ');
  if (items !== undefined) return `list of ${typeOf(items)}`;
  if (format !== undefined) return `${type}, ${format}`;
  if (pattern !== undefined) return `${type} like ${pattern}`;
  return maxLength === undefined ? type : `${type}, at most ${maxLength} characters`;
}
