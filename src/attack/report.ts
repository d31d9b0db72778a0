export type Outcome = 'passed' | 'failed' | 'skipped';

/** What became of one attack. */
export interface Finding {
  readonly attack: string;
  /** `passed`: it was refused. `failed`: it got through. `skipped`: it could not be tried, which says nothing. */
  readonly outcome: Outcome;
  /** What was seen, or why nothing was. */
  readonly evidence: string;
}

/** What the run has cost. */
export interface Effort {
  readonly requests: number;
  readonly codes: number;
  readonly seconds: number;
}

const WORDS: Readonly<Record<Outcome, string>> = { passed: 'passed ', failed: 'FAILED ', skipped: 'skipped' };

export function findingLine({ attack, outcome, evidence }: Finding): string {
  // What a deployment answers is shown in a terminal: nothing in it may move the cursor.
  return `${WORDS[outcome]}  ${attack}: ${evidence.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')}`;
}

export function summaryLine(findings: readonly Finding[], { requests, codes, seconds }: Effort): string {
  const count = (outcome: Outcome) => findings.filter((finding) => finding.outcome === outcome).length;
  return (
    `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped; ` +
    `${requests} requests, ${codes} codes sent, ${Math.round(seconds)} s`
  );
}

/** 0 when nothing got through, and at least one code came to try most of it with. */
export function exitCode(findings: readonly Finding[], codes: number): number {
  const count = (outcome: Outcome) => findings.filter((finding) => finding.outcome === outcome).length;
  if (count('failed') > 0 || count('passed') === 0) return 1;
  return codes === 0 && count('skipped') > 0 ? 1 : 0;
}
