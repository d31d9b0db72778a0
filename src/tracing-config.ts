import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { EnvironmentReader } from './environment.ts';
import { decodeText, TextFileError } from './text-file.ts';

/** Where and how spans are sent by OTLP/HTTP (opentelemetry.io/docs/specs/otel/protocol/exporter). */
export interface TracingSettings {
  /** With its path. */
  readonly url: string;
  readonly protocol: 'http/json' | 'http/protobuf';
  /** `name=value` pairs as in OTEL_EXPORTER_OTLP_HEADERS; later ones take precedence. They contain credentials. */
  readonly headers: readonly string[];
  /** Milliseconds, for one batch of spans. */
  readonly timeoutMs: number;
  readonly compression: 'gzip' | 'none';
  /** PEM. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

export interface TracingConfig {
  /** Undefined: no spans are made. */
  readonly tracing: TracingSettings | undefined;
  /** What the environment requests of OpenTelemetry and the service does not do; one sentence each. */
  readonly tracingWarnings: readonly string[];
}

/** Of the collector, where only OTEL_TRACES_EXPORTER=otlp requests traces (the specification's default). */
const DEFAULT_ENDPOINT = 'http://localhost:4318';
const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Reads OpenTelemetry's general variables (opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables).
 * Traces are sent if an endpoint is set or OTEL_TRACES_EXPORTER is `otlp`, unless OTEL_SDK_DISABLED or
 * OTEL_TRACES_EXPORTER switches them off. Sampler, limits and resource are read by the SDK itself.
 */
export function readTracing(env: EnvironmentReader): TracingConfig {
  const isDisabled = env.text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true';
  const exporters = env.list('OTEL_TRACES_EXPORTER').map((name) => name.toLowerCase());
  const base = env.url('OTEL_EXPORTER_OTLP_ENDPOINT')?.href;
  const endpoint = env.url('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT')?.href;
  const tracingWarnings = warnings(env);

  const isRequested = base !== undefined || endpoint !== undefined || exporters.includes('otlp');
  if (isDisabled || !isRequested || exporters.includes('none')) return { tracing: undefined, tracingWarnings };
  if (exporters.some((name) => name !== 'otlp')) env.fault('OTEL_TRACES_EXPORTER', 'must be otlp or none');
  return {
    tracing: {
      url: endpoint ?? new URL('v1/traces', withSlash(base ?? DEFAULT_ENDPOINT)).href,
      protocol: readProtocol(env),
      headers: ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'].flatMap(
        (name) => env.foreign(name) ?? [],
      ),
      timeoutMs: readTimeout(env),
      compression: readCompression(env),
      tls: readTls(env),
    },
    tracingWarnings,
  };
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}

/** The variable for traces takes precedence over the one for all signals. */
function option(env: EnvironmentReader, name: string): { readonly name: string; readonly value: string | undefined } {
  const specific = `OTEL_EXPORTER_OTLP_TRACES_${name}`;
  const value = env.foreign(specific);
  const general = `OTEL_EXPORTER_OTLP_${name}`;
  return value === undefined ? { name: general, value: env.foreign(general) } : { name: specific, value };
}

function readProtocol(env: EnvironmentReader): TracingSettings['protocol'] {
  const { name, value } = option(env, 'PROTOCOL');
  const protocol = (value ?? 'http/json').toLowerCase();
  if (protocol === 'http/json' || protocol === 'http/protobuf') return protocol;
  env.fault(name, 'must be http/json or http/protobuf; the port for these is usually 4318, and 4317 is for gRPC');
  return 'http/json';
}

function readTimeout(env: EnvironmentReader): number {
  const { name, value } = option(env, 'TIMEOUT');
  if (value === undefined) return DEFAULT_TIMEOUT_MS;
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value);
  env.fault(name, 'must be a number of milliseconds from 1 to 999999');
  return DEFAULT_TIMEOUT_MS;
}

function readCompression(env: EnvironmentReader): TracingSettings['compression'] {
  const { name, value = 'none' } = option(env, 'COMPRESSION');
  if (value === 'gzip' || value === 'none') return value;
  env.fault(name, 'must be gzip or none');
  return 'none';
}

function readTls(env: EnvironmentReader): TracingSettings['tls'] {
  const tls = {
    ...readPem(env, 'CERTIFICATE', 'ca'),
    ...readPem(env, 'CLIENT_CERTIFICATE', 'cert'),
    ...readPem(env, 'CLIENT_KEY', 'key'),
  };
  if (tls.cert !== undefined && tls.key !== undefined && !isUsable(tls)) {
    env.fault(option(env, 'CLIENT_KEY').name, 'the key does not belong to the client certificate');
  }
  return tls;
}

function readPem(env: EnvironmentReader, suffix: string, field: 'ca' | 'cert' | 'key'): TracingSettings['tls'] {
  const { name, value: path } = option(env, suffix);
  if (path === undefined) return {};
  try {
    const tls = { [field]: decodeText(readFileSync(path)) };
    if (isUsable(tls)) return tls;
    const needed = field === 'key' ? 'a private key without a passphrase' : 'a certificate';
    env.fault(name, `the file must contain ${needed} as PEM`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    env.fault(name, error instanceof TextFileError ? `the file ${message}` : `the file cannot be read (${code})`);
  }
  return {};
}

/** Whether TLS can use all of this. Node.js ignores texts without PEM, so each part is parsed as well. */
function isUsable(tls: TracingSettings['tls']): boolean {
  try {
    createSecureContext(tls);
    if (tls.key !== undefined) createPrivateKey(tls.key);
    return [tls.ca, tls.cert].filter((pem) => pem !== undefined).every(containsCertificates);
  } catch {
    return false;
  }
}

/** @throws Error of a certificate that cannot be parsed */
function containsCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN [^-]*-----.*?-----END [^-]*-----/gs) ?? [];
  return (
    blocks.filter((block) => block.includes('CERTIFICATE-----')).map((block) => new X509Certificate(block)).length > 0
  );
}

const SAMPLERS = new Set(['always_on', 'always_off', 'traceidratio'].flatMap((name) => [name, `parentbased_${name}`]));
const PROPAGATORS = new Set(['tracecontext', 'baggage']);

function warnings(env: EnvironmentReader): string[] {
  const found: string[] = [];
  const disabled = env.text('OTEL_SDK_DISABLED')?.toLowerCase() ?? 'false';
  if (disabled !== 'true' && disabled !== 'false') {
    found.push('OTEL_SDK_DISABLED: only true switches traces off; this value has no effect');
  }
  const propagators = env
    .foreign('OTEL_PROPAGATORS')
    ?.toLowerCase()
    .split(/\s*,\s*/);
  if (
    propagators !== undefined &&
    !(propagators.includes('tracecontext') && propagators.every((name) => PROPAGATORS.has(name)))
  ) {
    found.push('OTEL_PROPAGATORS: only tracecontext is supported; traceparent and tracestate are always passed on');
  }
  const sampler = env.foreign('OTEL_TRACES_SAMPLER');
  if (sampler !== undefined && !SAMPLERS.has(sampler)) {
    found.push('OTEL_TRACES_SAMPLER: this sampler is not known; parentbased_always_on is used');
  }
  const ratio = env.foreign('OTEL_TRACES_SAMPLER_ARG');
  if (sampler?.endsWith('traceidratio') && !(ratio !== undefined && Number(ratio) >= 0 && Number(ratio) <= 1)) {
    found.push('OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1; every trace is sampled');
  }
  for (const [name, instead] of [
    ['OTEL_METRICS_EXPORTER', 'Prometheus reads metrics at METRICS_PORT'],
    ['OTEL_LOGS_EXPORTER', 'the log is on standard output'],
  ] as const) {
    if ((env.foreign(name)?.toLowerCase() ?? 'none') !== 'none') found.push(`${name}: not supported; ${instead}`);
  }
  for (const name of ['OTEL_CONFIG_FILE', 'OTEL_EXPERIMENTAL_CONFIG_FILE']) {
    if (env.foreign(name) !== undefined)
      found.push(`${name}: configuration files are not supported and have no effect`);
  }
  return found;
}
