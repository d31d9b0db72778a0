import t from 'tap';
import { exitCode, type Finding, findingLine, summaryLine } from '../../src/attack/report.ts';

const finding = (outcome: Finding['outcome'], evidence = 'seen'): Finding => ({ attack: 'replay', outcome, evidence });

t.test('a finding is one line', async (t) => {
  t.equal(findingLine(finding('passed')), 'passed   replay: seen');
  t.equal(findingLine(finding('failed')), 'FAILED   replay: seen');
  t.equal(findingLine(finding('skipped')), 'skipped  replay: seen');
  t.equal(findingLine(finding('failed', 'a\r\n\u001b[2Jb\u009bc')), 'FAILED   replay: a [2Jb c');
});

t.test('the summary counts, and says what it took', async (t) => {
  const effort = { requests: 12, codes: 3, seconds: 61.4 };
  const all = [finding('passed'), finding('passed'), finding('failed'), finding('skipped')];
  t.equal(summaryLine(all, effort), '2 passed, 1 failed, 1 skipped; 12 requests, 3 codes sent, 61 s');
});

t.test('the exit code is 0 only when things could be tried, and nothing got through', async (t) => {
  t.equal(exitCode([finding('passed'), finding('skipped')], 5), 0);
  t.equal(exitCode([finding('passed')], 0), 0, 'of those that need no code');
  t.equal(exitCode([finding('passed'), finding('skipped')], 0), 1);
  t.equal(exitCode([finding('passed'), finding('failed')], 5), 1);
  t.equal(exitCode([finding('skipped')], 5), 1);
  t.equal(exitCode([], 0), 1);
});
