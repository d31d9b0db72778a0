import t from 'tap';
import { EnvironmentReader } from '../src/environment.ts';
import { createCertificate } from '../src/phone-simulator/certificate.ts';
import { readTracing } from '../src/tracing-config.ts';

function read(env: Record<string, string>) {
  const reader = new EnvironmentReader(env);
  return { ...readTracing(reader), faults: reader.faults };
}

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example.com:4318' };

t.test('when traces are sent, and where', async (t) => {
  for (const [env, url] of [
    [{}, undefined],
    [ENDPOINT, 'http://collector.example.com:4318/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://a.example.com/otlp' }, 'https://a.example.com/otlp/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://a.example.com/otlp/' }, 'https://a.example.com/otlp/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://a.example.com/t' }, 'https://a.example.com/t'],
    [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://a.example.com/t' }, 'https://a.example.com/t'],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, 'http://localhost:4318/v1/traces'],
    [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: ' OTLP ' }, 'http://collector.example.com:4318/v1/traces'],
    [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }, undefined],
    [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'None' }, undefined],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }, undefined],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE ' }, undefined],
    [{ OTEL_TRACES_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'True' }, undefined],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'false' }, 'http://collector.example.com:4318/v1/traces'],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: '' }, 'http://collector.example.com:4318/v1/traces'],
  ] as [Record<string, string>, string | undefined][]) {
    const { tracing, faults, tracingWarnings } = read(env);
    t.equal(tracing?.url, url, JSON.stringify(env));
    t.strictSame([faults, tracingWarnings], [[], []]);
  }
});

t.test('how they are sent: the variable for traces takes precedence', async (t) => {
  const { certificate, key } = createCertificate(Date.now());
  const folder = t.testdir({ 'ca.pem': certificate, 'key.pem': key });
  t.match(read(ENDPOINT).tracing, {
    protocol: 'http/json',
    headers: [],
    timeoutMs: 10_000,
    compression: 'none',
    tls: {},
  });
  const env = {
    ...ENDPOINT,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20abc,a=1',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=2',
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '700',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_CERTIFICATE: `${folder}/ca.pem`,
    OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: `${folder}/key.pem`,
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: `${folder}/ca.pem`,
  };
  const { tracing, faults } = read(env);
  t.strictSame(faults, []);
  t.match(tracing, {
    protocol: 'http/protobuf',
    headers: ['authorization=Basic%20abc,a=1', 'a=2'],
    timeoutMs: 700,
    compression: 'gzip',
    tls: { ca: certificate, cert: certificate, key },
  });
});

t.test('what cannot be done is a fault by its name, without its value', async (t) => {
  for (const [name, value] of [
    ['OTEL_TRACES_EXPORTER', 'zebra'],
    ['OTEL_TRACES_EXPORTER', 'otlp,zebra'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'zebra'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s'],
    ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', '0'],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zebra'],
    ['OTEL_EXPORTER_OTLP_CERTIFICATE', '/nowhere/zebra.pem'],
    ['OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY', '/nowhere/zebra.pem'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'collector:4318'],
  ] as const) {
    const { faults } = read({ ...ENDPOINT, [name]: value });
    t.match(faults, [new RegExp(`^${name}: `)], value);
    t.notMatch(faults.join(), 'zebra');
    if (name.endsWith('ENDPOINT')) continue;
    t.strictSame(read({ ...ENDPOINT, OTEL_SDK_DISABLED: 'true', [name]: value }).faults, [], 'nothing is sent');
  }
});

t.test('a file that is no certificate or key is a fault by the name of its variable', async (t) => {
  const { certificate, key } = createCertificate(Date.now());
  const other = createCertificate(Date.now());
  const folder = t.testdir({
    'random.pem': Buffer.alloc(40, 0xa7),
    'zero.pem': Buffer.alloc(40),
    'text.pem': 'zebra',
    'empty.pem': '',
    'cut.pem': certificate.slice(0, certificate.length / 2),
    'damaged.pem': certificate.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA'),
    'chain.pem': `${certificate}${certificate.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA')}`,
    'certificate.pem': certificate,
    'key.pem': key,
    'other-key.pem': other.key,
  });
  for (const [suffix, right] of [
    ['CERTIFICATE', 'certificate.pem'],
    ['CLIENT_CERTIFICATE', 'certificate.pem'],
    ['CLIENT_KEY', 'key.pem'],
  ] as const) {
    const name = `OTEL_EXPORTER_OTLP_${suffix}`;
    const wrong = right === 'key.pem' ? 'certificate.pem' : 'key.pem';
    for (const file of [
      'random.pem',
      'zero.pem',
      'text.pem',
      'empty.pem',
      'cut.pem',
      'damaged.pem',
      'chain.pem',
      wrong,
    ]) {
      const { faults } = read({ ...ENDPOINT, [name]: `${folder}/${file}` });
      t.match(faults, [new RegExp(`^${name}: the file `)], `${name} ${file}`);
      t.equal(faults.length, 1);
    }
    t.strictSame(read({ ...ENDPOINT, [name]: `${folder}/${right}` }).faults, []);
  }
  const pair = { OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: `${folder}/certificate.pem` };
  t.match(read({ ...ENDPOINT, ...pair, OTEL_EXPORTER_OTLP_CLIENT_KEY: `${folder}/other-key.pem` }).faults, [
    /^OTEL_EXPORTER_OTLP_CLIENT_KEY: the key does not belong to the client certificate$/,
  ]);
});

t.test('what has no effect is warned about', async (t) => {
  for (const [name, value] of [
    ['OTEL_SDK_DISABLED', '1'],
    ['OTEL_SDK_DISABLED', 'yes'],
    ['OTEL_PROPAGATORS', 'none'],
    ['OTEL_PROPAGATORS', 'b3'],
    ['OTEL_PROPAGATORS', 'tracecontext,b3'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_METRICS_EXPORTER', 'otlp'],
    ['OTEL_LOGS_EXPORTER', 'otlp'],
    ['OTEL_CONFIG_FILE', 'otel.yaml'],
    ['OTEL_EXPERIMENTAL_CONFIG_FILE', 'otel.yaml'],
  ] as const) {
    t.match(read({ [name]: value }).tracingWarnings, [new RegExp(`^${name}: `)], value);
  }
  const ratio = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' };
  t.match(read(ratio).tracingWarnings, [/^OTEL_TRACES_SAMPLER_ARG: /]);
  t.match(read({ ...ratio, OTEL_TRACES_SAMPLER_ARG: '2' }).tracingWarnings, [/^OTEL_TRACES_SAMPLER_ARG: /]);
  const known = {
    ...{ ...ratio, OTEL_TRACES_SAMPLER_ARG: '0.1', OTEL_PROPAGATORS: 'tracecontext,baggage' },
    ...{ OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none', OTEL_SDK_DISABLED: 'false' },
  };
  t.strictSame(read(known).tracingWarnings, []);
});
