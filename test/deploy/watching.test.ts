import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { problems } from '../../src/errors.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

const read = (file: string) => readFileSync(new URL(`../../deploy/${file}`, import.meta.url), 'utf8');

interface Panel {
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string }[];
}

const { panels } = JSON.parse(read('grafana-dashboard.json')) as { panels: readonly Panel[] };
const { groups } = parse(read('alerts.yaml')) as {
  groups: {
    rules: { alert: string; expr: string; labels: { severity: string }; annotations: { summary: string } }[];
  }[];
};
const rules = groups.flatMap((group) => group.rules);
const queries: [string, string][] = [
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }): [string, string] => [title, expr])),
  ...rules.map(({ alert, expr }): [string, string] => [alert, expr]),
];

/** What Prometheus adds to each sample of a target. */
const ADDED = ['job', 'instance'];
/** Values that labels have, where the code decides. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  outcome: ['ok', 'otp_expired_right', 'accepted', 'failed', ...Object.keys(problems)],
  flow: ['sign_in', 'verification'],
  state: ['open', 'half_open', 'closed', 'running', 'waiting'],
  period: ['day', 'year'],
  limit: [
    'password-pair',
    'password-user',
    'password-address',
    'send-budget',
    'send-block',
    'send-login-block',
    'send-key',
  ],
  route: ['/login', '/otp', '/auth', '/session'],
  status: ['200', '500', '502', '504'],
};

/** Of interest in a single case, not at a glance. */
const UNSEEN = [
  'doorcode_build_info',
  'doorcode_clock_behind_seconds',
  'doorcode_guess_budget_guesses',
  'doorcode_log_lines_dropped_total',
  'doorcode_sign_outs_total',
];

/** The labels that samples of a metric have, by every name that the samples go by. */
function samples(): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>([['up', ADDED]]);
  for (const { name, type, labels } of createMetrics().described()) {
    const own = [...labels, ...ADDED];
    if (type !== 'histogram') found.set(name, own);
    else {
      for (const part of ['count', 'sum']) found.set(`${name}_${part}`, own);
      found.set(`${name}_bucket`, [...own, 'le']);
    }
  }
  return found;
}

t.test('dashboard and alerts ask for metrics, labels and values that there are', async (t) => {
  const known = samples();
  const asked = new Set<string>();
  for (const [title, expr] of queries) {
    const names = expr.match(/\b(?:doorcode_\w+|up)\b/g) ?? [];
    t.ok(names.length > 0, `${title} asks for something of ours`);
    for (const name of names) {
      asked.add(name.replace(/_(?:count|sum|bucket)$/, ''));
      t.ok(known.has(name), `${title}: ${name}`);
    }
    const labels = names.flatMap((name) => known.get(name) ?? []);
    for (const [, list = ''] of expr.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of list.split(/,\s*/)) t.ok(labels.includes(label), `${title}: by ${label}`);
    }
    for (const [, name = '', matchers = ''] of expr.matchAll(/(\w+)\{([^}]*)\}/g)) {
      for (const [, label = '', operator, text = ''] of matchers.matchAll(/(\w+)(=~|=)"([^"]*)"/g)) {
        t.ok(known.get(name)?.includes(label), `${title}: ${name} has ${label}`);
        if (label === 'job') continue;
        const matching = (value: string) => new RegExp(`^(?:${text})$`).test(value);
        const values = operator === '=' ? [text] : text.split('|').filter((part) => /^[\w/]+$/.test(part));
        for (const value of values) t.ok(VALUES[label]?.includes(value), `${title}: ${label} can be ${value}`);
        t.ok(VALUES[label]?.some(matching), `${title}: ${label} can be ${text}`);
      }
    }
  }
  // What is counted and nobody looks at is no use; what the library adds is told by the library.
  const unseen = [...known.keys()]
    .map((name) => name.replace(/_(?:count|sum|bucket)$/, ''))
    .filter((name) => !/_(?:process|nodejs)_/.test(name) && !asked.has(name));
  t.strictSame([...new Set(unseen)].toSorted(), UNSEEN);
});

t.test('no two panels lie on each other, and each has a title of its own', async (t) => {
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)} ${y + Math.floor(index / w)}`),
  );
  t.equal(new Set(cells).size, cells.length);
  t.ok(panels.every(({ gridPos: { x, w } }) => x + w <= 24));
  t.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  t.ok(rules.every(({ annotations }) => annotations.summary.length > 10));
});

t.test('the job that Prometheus is to ask is told where the alerts are, and in the README', async (t) => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const header = read('alerts.yaml').replaceAll(/^# ?/gm, '');
  for (const text of [header, readme]) {
    const block = /^ *scrape_configs:\n(?: .*\n)+?(?= *- *targets)(?:.*)$/m.exec(text)?.[0] ?? '';
    t.match(parse(block), { scrape_configs: [{ job_name: 'doorcode', static_configs: [{ targets: [/:9464$/] }] }] });
  }
});
