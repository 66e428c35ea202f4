/**
 * Reads the TAP of one ring into totals, and words the closing line. Refuses what is
 * incomplete: a runner that crashed, or that never came to a file, has no totals.
 */

/** Counts of test points; todo points count as skipped, since nobody vouches for them. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A result of the runner's top level: one per test file. */
const FILE_RESULT = /^(?:not )?ok \d+ - /;
const SUMMARY = /^# \{ (total: \d+(?:, \w+: \d+)*) \}$/;

/**
 * @param tap everything that `ring.ts` printed
 * @param files how many test files the runner was given
 * @throws Error where the text does not account for every file
 */
export function readTotals(tap: string, files: number): Totals {
  const lines = tap.split('\n');
  const bail = lines.find((line) => line.startsWith('Bail out!'));
  if (bail !== undefined) throw new Error(`the runner gave up: ${bail}`);
  const results = lines.filter((line) => FILE_RESULT.test(line)).length;
  if (results !== files) throw new Error(`the runner was given ${files} files and reported ${results}`);
  const summary = lines.flatMap((line) => SUMMARY.exec(line)?.[1] ?? []).at(-1);
  if (summary === undefined) throw new Error('the runner wrote no totals (expected `# { total: … }` at the end)');
  const count = new Map(
    summary.split(', ').map((pair) => {
      const [name = '', value = ''] = pair.split(': ');
      return [name, Number(value)] as const;
    }),
  );
  const of = (name: string): number => count.get(name) ?? 0;
  // A file without any test is "skipped" to the runner; to us it is a check that checks nothing.
  const empty = lines.filter((line) => /^ok .* # SKIP no tests found/.test(line)).length;
  // A file that was killed is `not ok`, though none of its points failed.
  const notOk = lines.filter((line) => line.startsWith('not ok ')).length;
  const totals = {
    passed: of('pass'),
    failed: Math.max(of('fail'), notOk) + empty,
    skipped: of('skip') + of('todo') - empty,
  };
  const points = of('pass') + of('fail') + of('skip') + of('todo');
  if (points !== of('total')) throw new Error(`the runner's totals do not add up: ${summary}`);
  return totals;
}

export function addTotals(all: readonly Totals[]): Totals {
  const sum = (of: (totals: Totals) => number): number => all.reduce((total, totals) => total + of(totals), 0);
  return { passed: sum((t) => t.passed), failed: sum((t) => t.failed), skipped: sum((t) => t.skipped) };
}

/** `N passed, N failed`, and `, N skipped` where there are any. */
export function closingLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
