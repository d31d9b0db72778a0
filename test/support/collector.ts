import { EnvironmentReader } from '../../src/environment.ts';
import { type Log, silentLog } from '../../src/log.ts';
import { noProxies } from '../../src/proxy-config.ts';
import { readTracing, type TracingSettings } from '../../src/tracing-config.ts';

/** What tracing needs to send to this collector, read from OpenTelemetry's variables as at a start. */
export function optionsFor(endpoint: string, env: Record<string, string> = {}, log: Log = silentLog) {
  const reader = new EnvironmentReader({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...env });
  const settings = readTracing(reader).tracing as TracingSettings;
  if (reader.faults.length > 0) throw new Error(reader.faults.join());
  return { settings, proxies: noProxies, log };
}
