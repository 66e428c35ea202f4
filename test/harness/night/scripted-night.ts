/** For tests: nights whose attempts are scripted. */
import type { FaultCode } from '../../../harness/faults/fault-table.ts';
import { Fault, faultRecord } from '../../../harness/faults/faults.ts';
import { judge } from '../../../harness/judge.ts';
import type { Verdict } from '../../../harness/model.ts';
import type { Attempted } from '../../../harness/night/attempt.ts';
import type { NightCase, NightLab } from '../../../harness/night/cases.ts';
import { runNight } from '../../../harness/night/night.ts';
import { check } from '../reporters/summaries.ts';
import { PHASES } from './phases.ts';

export const PASS = judge({ checks: [check('uname', 'held')], fault: null });
export const FAIL = judge({ checks: [check('uname', 'failed')], fault: null });
export const fault = (code: FaultCode): Verdict =>
  judge({ checks: [], fault: faultRecord(new Fault(code, `why ${code}`)) });

export const caseAt = (lab: string, nth: number): NightCase => ({
  name: `phase9.i${nth}.${lab}`,
  phase: PHASES[0],
  image: { name: `i${nth}`, file: null, scenarios: [], expectClosure: null, sshKey: null, control: null },
  lab: { name: lab, lab, images: [], parallel: null, args: [] },
  ...{ args: ['--lab', lab], repeat: `npm run -s phase9 -- --lab ${lab}` },
});

export const labOf = (name: string, cases: number, lanes = 1): NightLab => ({
  ...{ name, lanes, because: '' },
  cases: Array.from({ length: cases }, (_, nth) => caseAt(name, nth + 1)),
});

export const attempted = (verdict: Verdict, exitCode = 0): Attempted => ({
  ...{ verdict, exitCode, runId: 'r', imageSha256: null, leaked: [], workdir: null, repeat: null, stored: null },
});

interface Script {
  readonly retries?: number;
  readonly signal?: AbortSignal;
  /** What each attempt at a case comes to, in order; PASS where it is silent. */
  readonly verdicts?: Readonly<Record<string, readonly Verdict[]>>;
  /** What each attempt at a case leaves in the lab; nothing where it is silent. */
  readonly leaks?: Readonly<Record<string, readonly (readonly string[])[]>>;
  /** Does the next run sweep what one left, after so many runs. @default always */
  readonly awaitsSweep?: (runs: number) => boolean;
  readonly onRun?: (name: string) => void;
}

/** Plays a night whose attempts are scripted. */
export async function play(
  labs: readonly NightLab[],
  { retries = 1, verdicts = {}, leaks = {}, awaitsSweep = () => true, onRun, ...more }: Script = {},
) {
  const runs: string[] = [];
  const ends: string[] = [];
  let [now, most] = [0, 0];
  const summaries = await runNight({
    ...{ labs, retries, dir: '/nights/n', signal: more.signal ?? new AbortController().signal, tell: () => undefined },
    run: async ({ name }) => {
      runs.push(name);
      onRun?.(name);
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      const nth = runs.filter((each) => each === name).length;
      return { ...attempted(verdicts[name]?.[nth - 1] ?? PASS), leaked: leaks[name]?.[nth - 1] ?? [] };
    },
    known: () => [],
    awaitsSweep: () => awaitsSweep(runs.length),
    onEnd: ({ summary }) => ends.push(`${summary.name} ${summary.verdict.status}`),
    nowMs: () => 0,
    time: () => '2026-11-26T00:00:00.000Z',
  });
  return { summaries, runs, ends, most };
}
