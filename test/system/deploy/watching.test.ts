import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { program } from '../../support/programs.ts';

const ALERTS = fileURLToPath(new URL('../../../deploy/alerts.yaml', import.meta.url));

const { groups } = parse(readFileSync(ALERTS, 'utf8')) as {
  groups: { rules: { alert: string; labels: { severity: string }; annotations: { summary: string } }[] }[];
};
const rules = groups.flatMap((group) => group.rules);

t.test('Prometheus can read the alerts', async (t) => {
  const promtool = program(t, 'promtool');
  if (promtool === null) return;
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'rules', ALERTS], { encoding: 'utf8' });
  t.equal(status, 0, stderr);
  t.match(stdout, `SUCCESS: ${rules.length} rules found`);
});

/** Samples of series, one a quarter of a minute, in Prometheus' own notation. */
type Series = Readonly<Record<string, string>>;

/** Which alerts of a rule there are at a moment, by the value of the label that tells them apart. */
interface Expected {
  readonly alert: string;
  readonly at: string;
  readonly labels: readonly Readonly<Record<string, string>>[];
}

/** Plays series to the rules, each case by itself. */
function play(t: Test, cases: readonly (readonly [Series, readonly Expected[]])[]): void {
  const promtool = program(t, 'promtool');
  if (promtool === null) return;
  const tests = cases.map(([series, expected]) => ({
    interval: '15s',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: expected.map(({ alert, at, labels }) => ({
      alertname: alert,
      eval_time: at,
      exp_alerts: labels.map((own) => announced(alert, own)),
    })),
  }));
  const file = join(t.testdir(), 'rules.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ rule_files: [ALERTS], evaluation_interval: '15s', tests }));
  const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', file], { encoding: 'utf8' });
  t.equal(status, 0, stdout + stderr);
}

/** An alert as whoever is on duty gets it. */
function announced(alert: string, own: Readonly<Record<string, string>>) {
  const rule = rules.find((each) => each.alert === alert);
  const summary = rule?.annotations.summary.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => own[name] ?? '');
  return { exp_labels: { ...rule?.labels, ...own }, exp_annotations: { summary } };
}

t.test('a sender that is tried now and then, and fails each time, is left out', async (t) => {
  const breaker = (sender: string, state: string, instance = 'a') =>
    `doorcode_breaker_state{job="doorcode",instance="${instance}",sender="${sender}",state="${state}"}`;
  const alert = 'DoorcodeSenderLeftOut';
  play(t, [
    [
      {
        // 30 s of rest, then half open until somebody asks for a code.
        [breaker('failing', 'closed')]: '0x20',
        [breaker('failing', 'open')]: '1 1 0 0 0 1 1 0 0 0 1 1 0 0 0 1 1 0 0 0 1',
        [breaker('failing', 'half_open')]: '0 0 1 1 1 0 0 1 1 1 0 0 1 1 1 0 0 1 1 1 0',
        [breaker('failing', 'closed', 'b')]: '1x20',
        [breaker('recovering', 'closed')]: '0 0 0 0 1 1 1 1 0 0 0 0 1 1 1 1 0 0 0 0 1',
        [breaker('recovering', 'open')]: '1 1 1 1 0 0 0 0 1 1 1 1 0 0 0 0 1 1 1 1 0',
        [breaker('well', 'closed')]: '1x20',
      },
      [
        { alert, at: '1m', labels: [] },
        { alert, at: '3m', labels: [{ sender: 'failing' }] },
        { alert, at: '5m', labels: [{ sender: 'failing' }] },
      ],
    ],
  ]);
});

/** A counter that goes up by so much a minute, for half an hour; one that goes up once. */
const up = (perMinute: number) => `0+${perMinute / 4}x120`;
const ONCE = '0x20 1x100';
const counted = (name: 'sign_ins' | 'checks' | 'verifications' | 'resends', outcome: string) => {
  const flow = name === 'checks' || name === 'resends' ? ',flow="sign_in"' : '';
  return `doorcode_${name}_total{job="doorcode",instance="a",outcome="${outcome}"${flow}}`;
};

t.test('what is answered 503 pages somebody, whichever request meets it', async (t) => {
  const alert = 'DoorcodeUnavailable';
  const pages = [{ alert, at: '20m', labels: [{}] }];
  const quiet = [{ alert, at: '20m', labels: [] }];
  const usual = { [counted('sign_ins', 'ok')]: up(60), [counted('checks', 'ok')]: up(60) };
  play(t, [
    [{ ...usual, [counted('checks', 'limits_unavailable')]: up(4) }, quiet],
    [{ ...usual, [counted('checks', 'limits_unavailable')]: up(8) }, [{ alert, at: '4m', labels: [] }, ...pages]],
    [{ [counted('sign_ins', 'directory_unavailable')]: up(1) }, pages],
    [{ [counted('verifications', 'overloaded')]: up(1) }, pages],
    [{ [counted('checks', 'internal_error')]: ONCE }, [{ alert, at: '12m', labels: [] }]],
  ]);
});

t.test('codes that no sender takes page somebody, whoever asked for them; numbers that are none do not', async (t) => {
  const alert = 'DoorcodeCodesNotAccepted';
  const pages = [{ alert, at: '20m', labels: [{}] }];
  const usual = { [counted('sign_ins', 'ok')]: up(20) };
  play(
    t,
    (['sign_ins', 'verifications', 'resends'] as const).flatMap((name) => [
      [{ ...usual, [counted(name, 'delivery_rejected')]: up(10) }, [{ alert, at: '20m', labels: [] }]],
      [{ ...usual, [counted(name, 'delivery_failed')]: up(2) }, pages],
      [{ [counted(name, 'delivery_failed')]: up(1) }, pages],
      [{ [counted(name, 'delivery_failed')]: ONCE }, [{ alert, at: '12m', labels: [] }]],
    ]),
  );
});

t.test('a limit store that keeps failing pages somebody, one failed command does not', async (t) => {
  const alert = 'DoorcodeStoreFailing';
  const pages = [{ alert, at: '20m', labels: [{}] }];
  const quiet = ['6m', '7m', '9m', '20m'].map((at) => ({ alert, at, labels: [] }));
  const commands = (outcome: string) =>
    `doorcode_store_seconds_count{job="doorcode",instance="a",operation="add",outcome="${outcome}"}`;
  const degraded = 'doorcode_store_degraded{job="doorcode",instance="a"}';
  play(t, [
    [{ [commands('ok')]: up(20), [commands('failed')]: ONCE, [degraded]: '0x120' }, quiet],
    [{ [commands('failed')]: ONCE }, quiet],
    [{ [commands('ok')]: up(2000), [commands('failed')]: up(10) }, quiet],
    [{ [commands('ok')]: up(2000), [commands('failed')]: up(40) }, pages],
    [{ [commands('failed')]: up(2) }, pages],
    [{ [commands('ok')]: up(20), [degraded]: '1x120' }, pages],
  ]);
});

t.test('a replica that does not answer pages somebody, and so does one that nobody asks', async (t) => {
  const alert = 'DoorcodeDown';
  const replica = { job: 'doorcode', instance: 'a' };
  play(t, [
    [{ 'up{job="doorcode",instance="a"}': '1x20' }, [{ alert, at: '3m', labels: [] }]],
    [{ 'up{job="doorcode",instance="a"}': '0x20' }, [{ alert, at: '3m', labels: [replica] }]],
    [{ 'up{job="other",instance="a"}': '1x20' }, [{ alert, at: '3m', labels: [{ job: 'doorcode' }] }]],
  ]);
});
