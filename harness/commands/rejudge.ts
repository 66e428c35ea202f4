/** `npm run rejudge -- WORKDIR…`: what today's probes and judge make of stored evidence. */
import { EXIT } from '../../help/exits.ts';
import { wrap } from '../compare/shown.ts';
import { Fault } from '../faults/faults.ts';
import type { JudgedCheck, Scenario, Status } from '../model.ts';
import type { CommandWords } from '../options/command-help.ts';
import { REJUDGE_OPTIONS } from '../options/command-options.ts';
import { escapeValue } from '../report/report.ts';
import { rejudge as judgeAgain } from '../stored/rejudge.ts';
import { readStoredRun, type StoredRun } from '../stored/stored-run.ts';
import type { Call, Command } from './command.ts';

const RUNS_MAX = 1_000;
/** Of a cause, where it is shown to people. */
const MESSAGE_MAX = 320;
/** Of what `--json` prints. */
const SCHEMA = 1;

const WORDS: CommandWords = {
  ...{ name: 'rejudge', group: 'failure', page: 'docs/stored-runs.md#rejudge' },
  summary: "judges stored runs again, by today's probes and today's judge, and says what changed",
  usage: ['WORKDIR… [options]'],
  about: [
    'Each is a workdir, its metadata.txt or result.json, or a pack (npm run -s pack). Nothing is written: the ' +
      'verdict of a run stays what it was. What was asked by another version of a probe, was not asked, or is cut ' +
      'counts as unobserved, and never makes a PASS. What stopped a run before its checks (a lab fault, silence) is ' +
      'taken as recorded.',
  ],
  examples: [
    { args: ['/tmp/phase9-xcpng-boot-1795390189'], does: 'would it end otherwise today?' },
    {
      args: ['a.bootwitness.tar.gz', 'b.bootwitness.tar.gz', '--all'],
      does: 'two packs, with the checks that are as they were',
    },
  ],
  precedence: 'flags > environment > defaults',
  stdout: 'then and now of each run; with --json one JSON object, described in docs/stored-runs.md.',
  exits: { fine: 'every verdict is as it was', failed: 'one would be another today' },
};

interface Said {
  readonly status: Status;
  readonly code: string | null;
  readonly party: string | null;
  readonly message: string | null;
}

interface CheckNow {
  readonly name: string;
  /** Null: there was no such check then, or is none now. */
  readonly before: Pick<JudgedCheck, 'outcome' | 'actual' | 'expected' | 'reason'> | null;
  readonly now: Pick<JudgedCheck, 'outcome' | 'actual' | 'expected' | 'reason'> | null;
  readonly changed: boolean;
}

interface RunNow {
  readonly path: string;
  readonly runId: string;
  readonly scenario: string;
  readonly before: Said;
  readonly now: Said;
  readonly changed: boolean;
  readonly checks: readonly CheckNow[];
  readonly notes: readonly string[];
}

async function again(run: StoredRun, scenario: Scenario): Promise<RunNow> {
  const { report, path } = run;
  const { verdict, notes } = await judgeAgain(run, scenario);
  const cause = verdict.status === 'FAIL' || verdict.status === 'ERROR' ? verdict.cause : null;
  const said = (status: Status, of: typeof cause): Said => ({
    ...{ status, code: of?.code ?? null, party: of?.party ?? null, message: of?.message ?? null },
  });
  const [before, now] = [said(report.status, report.cause), said(verdict.status, cause)];
  return {
    ...{ path, runId: report.runId, scenario: report.scenario, before, now, notes },
    changed: (['status', 'code', 'party'] as const).some((key) => before[key] !== now[key]),
    checks: checksNow(report.checks, verdict.checks),
  };
}

function checksNow(before: readonly JudgedCheck[], now: readonly JudgedCheck[]): readonly CheckNow[] {
  const names = [...new Set([...before, ...now].map(({ name }) => name))];
  return names.map((name) => {
    const [then, today] = [before, now].map((checks) => checks.find((each) => each.name === name) ?? null);
    const changed = (['outcome', 'actual', 'expected'] as const).some((key) => then?.[key] !== today?.[key]);
    return { name, before: said(then), now: said(today), changed };
  });
}

function said(check: JudgedCheck | null | undefined): CheckNow['before'] {
  if (check === null || check === undefined) return null;
  const { outcome, actual, expected, reason } = check;
  return { outcome, actual, expected, reason };
}

function shown({ path, scenario, before, now, changed, checks, notes }: RunNow, all: boolean): readonly string[] {
  const verdict = ({ status, code, party, message }: Said): string =>
    code === null ? status : `${status}  ${code} (${party}): ${brief(message ?? '')}`;
  const told = checks.filter((check) => all || check.changed);
  return [
    ...wrap(`${scenario}  ${path}`, '  '),
    ...wrap(`  then  ${escapeValue(verdict(before))}`, '        '),
    ...(changed ? wrap(`  now   ${escapeValue(verdict(now))}`, '        ') : ['  now   the same']),
    ...told.flatMap((check) => wrap(`    ${escapeValue(shownCheck(check))}`, '      ')),
    ...notes.flatMap((note) => wrap(`  note: ${escapeValue(note)}`, '    ')),
    '',
  ];
}

/** The checks below say the rest. */
const brief = (message: string): string =>
  message.length <= MESSAGE_MAX ? message : `${message.slice(0, MESSAGE_MAX)}… (${message.length} characters, --json)`;

const outcomeOf = ({ outcome, actual }: NonNullable<CheckNow['now']>): string =>
  outcome === 'unobserved' ? outcome : `${outcome} (${actual})`;

function shownCheck({ name, before, now }: CheckNow): string {
  const was = before === null ? 'not judged' : outcomeOf(before);
  const is = now === null ? 'not judged' : outcomeOf(now);
  const why = now === null || now.reason === '' ? '' : `: ${now.reason}`;
  return was === is ? `${name}: ${is}${why}` : `${name}: ${was} → ${is}${why}`;
}

function todays(report: StoredRun['report'], scenarios: readonly Scenario[]): Scenario {
  const found = scenarios.find(({ name }) => name === report.scenario);
  if (found !== undefined) return found;
  const expected = scenarios.map(({ name }) => name).join(' or ');
  throw new Fault('BAD_STORED_RUN', `expected a run of ${expected}, given one of "${report.scenario}"`);
}

async function run({ given, print, signal }: Call, scenarios: readonly Scenario[]): Promise<number> {
  // All are read before anything is said: misuse is told alone.
  const runs: StoredRun[] = [];
  for (const { text } of given.operands()) runs.push(await readStoredRun(text));
  const pairs = runs.map((stored) => [stored, todays(stored.report, scenarios)] as const);
  const all = given.value('all')?.text === 'true';
  const json = given.value('json')?.text === 'true';
  const results: RunNow[] = [];
  for (const [stored, scenario] of pairs) {
    signal.throwIfAborted();
    const result = await again(stored, scenario);
    results.push(result);
    if (!json) shown(result, all).forEach(print);
  }
  const changed = results.filter((each) => each.changed).length;
  if (json) print(JSON.stringify({ schema: SCHEMA, changed, runs: results }, null, 2));
  else print(`${results.length} runs: ${changed} would end otherwise today`);
  return changed > 0 ? EXIT.failed : EXIT.fine;
}

/** @param scenarios those of today */
export const rejudge = (scenarios: readonly Scenario[]): Command => ({
  ...{ options: REJUDGE_OPTIONS, operand: 'WORKDIR…', operands: [1, RUNS_MAX], help: WORDS },
  onInterrupt: 'nothing was changed',
  run: (call) => run(call, scenarios),
});
