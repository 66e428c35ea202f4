/** `npm run nightly`: the scenarios and images of a plan, on its labs, in one night. */

import { homedir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '../../help/exits.ts';
import { attempt } from '../night/attempt.ts';
import { type NightLab, nightLabs, onlyCases, type PhaseEntry } from '../night/cases.ts';
import { closeNight } from '../night/close-night.ts';
import { changedImages, ownImages } from '../night/image-remarks.ts';
import { keepInHistory } from '../night/keep-history.ts';
import { aboutAny, type KnownFailure, knownOf, loadKnownFailures, remarksOn } from '../night/known-failures.ts';
import { type NightCaseEnd, nightExitCode, runNight } from '../night/night.ts';
import { makeNightFolder, nightId, removeOldNights, writeNightMark } from '../night/night-folder.ts';
import { loadPlanFile, type PlanFile } from '../night/plan-file.ts';
import type { CommandWords } from '../options/command-help.ts';
import { NIGHT_OPTIONS } from '../options/command-options.ts';
import { cacheDir } from '../options/config.ts';
import { bad, type Environment, type Given, path } from '../options/given.ts';
import { checkReportsDir, reportsDir } from '../options/history-wish.ts';
import { type OutputFiles, outputFiles } from '../options/output-files.ts';
import { bugBehind } from '../process/interrupt.ts';
import { placeOf } from '../process/process-place.ts';
import { RunRegistry } from '../process/run-registry.ts';
import type { Event, Happening } from '../progress/event.ts';
import {
  type CaseSummary,
  nightCodeOf,
  type Remark,
  type Standing,
  type Summary,
  standing,
} from '../report/summary.ts';
import type { Call, Command } from './command.ts';

const WORDS: CommandWords = {
  ...{ name: 'nightly', group: 'image', page: 'README.md#every-night' },
  summary: 'runs every image of a plan, by its scenarios, on its labs',
  usage: ['--plan FILE [options]'],
  about: [
    'Each case is a run of its phase, in a process of its own, as many at a time as slots, memory and max_guests of ' +
      'the lab file allow; runs of others that are told the same count with them. A case that a fault of the lab ' +
      'ended is run again; a fault that concerns the whole lab ends its remaining cases at once.',
    'Variables of the phases hold for every case; what is asked of single cases stands in the plan, and is refused ' +
      'as a variable (BOOTWITNESS_IMAGE, _LAB, _EXPECT_CLOSURE).',
  ],
  examples: [
    { args: ['--plan', 'plans/nightly.toml', '--list'], does: 'what would run; asks no lab' },
    {
      args: ['--plan', 'plans/nightly.toml', '--junit', 'junit.xml', '--markdown', '$GITHUB_STEP_SUMMARY'],
      does: 'the night, as a CI runs it',
    },
    { args: ['--plan', 'plans/nightly.toml', '--cases', 'phase9.*'], does: 'only some of it' },
  ],
  precedence: 'flags > environment > plan > defaults',
  stdout: 'TAP version 14, a point for each case (--json: events); stderr is for people.',
  exits: {
    fine: 'every case passed, or failed as is known',
    failed: 'a case failed, or a known failure has expired',
    misuse: 'misuse: nothing was run',
    lab: 'a case says nothing about its image, or could not be kept in the history',
    bug: 'our bug, also in one of the cases',
  },
};

interface NightRequest {
  readonly plan: PlanFile;
  readonly labs: readonly NightLab[];
  /** Where only some cases of the plan are wanted, those about them: nothing has vanished from the plan then. */
  readonly known: readonly KnownFailure[];
  readonly root: string;
  readonly reportsDir: string | null;
  readonly outputs: OutputFiles;
  /** Events on stdout, not TAP. */
  readonly json: boolean;
  /** For the cases: without what is the night's own. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Without what a case must not take for its own (all cases would write to one file), and what a test runner adds. */
function caseEnvironment(environment: Environment): Readonly<Record<string, string>> {
  const own = new Set([...NIGHT_OPTIONS.map((option) => option.environment), 'NODE_OPTIONS', 'BOOTWITNESS_NIGHT']);
  const kept = Object.entries(environment).filter(([name]) => !own.has(name) && !name.startsWith('TAP'));
  return Object.fromEntries(kept.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])));
}

function stateFolder(environment: Environment): string {
  return join(environment.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'bootwitness', 'nights');
}

async function nightRequest(given: Given, env: Environment, phases: readonly PhaseEntry[]): Promise<NightRequest> {
  const file = path(given.value('plan'));
  if (file === null) throw bad('--plan', 'a plan (plans/nightly.example.toml)', 'nothing');
  const plan = loadPlanFile(file, given.overrides());
  const environment = caseEnvironment(env);
  const pattern = given.value('cases');
  const labs = onlyCases(await nightLabs(plan, phases, environment), pattern?.text ?? null);
  if (pattern !== null && labs.every(({ cases }) => cases.length === 0)) {
    throw bad(pattern.from, 'a pattern that some case fits (see --list)', `"${pattern.text}"`);
  }
  const commands = phases.map(({ command }) => command);
  const known = plan.knownFailures === null ? [] : loadKnownFailures(plan.knownFailures, commands);
  return {
    ...{ plan, labs, environment },
    known: pattern === null ? known : aboutAny(known, scopes(labs)),
    root: plan.workdirs ?? stateFolder(env),
    reportsDir: reportsDir(given),
    outputs: outputFiles(given, env),
    json: given.value('json')?.text === 'true',
  };
}

/** Nothing is asked of a lab. */
function list({ plan, labs, known }: NightRequest, today: string, { print }: Call): void {
  for (const { name, lanes, because, cases } of labs) {
    print(`${name}: ${cases.length} cases, ${lanes} at a time (${because})`);
    for (const { name: ofCase, repeat } of cases) print(`  ${ofCase}: ${repeat}`);
  }
  for (const { name, scenario, image, check, expires, reason } of known) {
    const state = expires < today ? 'EXPIRED on' : 'until';
    print(`known failure ${name}: ${check} of ${scenario} with ${image}, ${state} ${expires}: ${reason}`);
  }
  for (const { text } of [...remarksOn(known, scopes(labs), today), ...ownImages(labs)]) print(`remark: ${text}`);
  print(`${plan.name}: ${labs.reduce((sum, { cases }) => sum + cases.length, 0)} cases on ${labs.length} labs`);
}

const scopes = (labs: readonly NightLab[], summaries: ReadonlyMap<string, CaseSummary> = new Map()) =>
  labs.flatMap(({ cases }) =>
    cases.map(({ name, phase, image }) => ({
      ...{ name, scenario: phase.command, image: image.name },
      verdict: summaries.get(name)?.verdict ?? null,
    })),
  );

/** How a sweep finds the labs again. The embedded ones end with their runs. */
const labOptions = (labs: readonly NightLab[]): readonly (readonly string[])[] =>
  labs.flatMap(({ cases: [first] }) =>
    first === undefined || first.lab.lab === 'embedded' ? [] : [['--lab', first.lab.lab, ...first.lab.args]],
  );

/** Runs what is asked for. @returns the exit code @throws a bug that ended it, after its reports */
async function night(request: NightRequest, call: Call): Promise<number> {
  const { plan, labs, known, root, environment } = request;
  const { told, signal } = call;
  checkReportsDir({ reportsDir: request.reportsDir });
  const startedMs = performance.now();
  const now = new Date();
  const [startedAt, today] = [now.toISOString(), now.toISOString().slice(0, 10)];
  const id = nightId(plan.name, startedAt);
  const dir = makeNightFolder(root, plan.name, now.getTime());
  const mark = { plan: plan.path, process: placeOf(), labs: labOptions(labs) };
  writeNightMark(dir, startedAt, mark);
  for (const line of removeOldNights(root, plan.keepDays, now.getTime())) told.note(line);
  told.tell(nightBegins(request, id, dir));
  const problems: Remark[] = [];
  const args = ['--reports-dir', 'none'];
  // That of its cases, which share its environment.
  const registry = new RunRegistry(cacheDir(environment));
  const cases = await runNight({
    ...{ labs, retries: plan.retries, dir, signal, tell: told.tell },
    run: (theCase, where, nth) => {
      const onEvent = (event: Event): void => told.relay(event, { case: theCase.name, attempt: nth });
      return attempt({ theCase, dir: where, environment, args, onEvent, signal });
    },
    known: ({ phase, image }, verdict) =>
      knownOf(known, { scenario: phase.command, image: image.name }, verdict, today),
    awaitsSweep: (runId) => registry.processOf(runId) !== null,
    onEnd: (end) => problems.push(...kept(end, { reportsDir: request.reportsDir, night: id, dir })),
    nowMs: () => performance.now(),
    time: () => new Date().toISOString(),
  });
  const byName = new Map(cases.map((each) => [each.name, each]));
  const remarks = [
    ...remarksOn(known, scopes(labs, byName), today),
    ...ownImages(labs),
    ...changedImages(labs, byName),
    ...problems,
  ];
  const bug = bugBehind(signal);
  const seconds = (performance.now() - startedMs) / 1000;
  const summaryWith = (lost: readonly Remark[]): Summary => {
    const all = [...remarks, ...lost];
    const codes = [...codesOf(cases, all), ...(bug === null ? [] : [EXIT.bug])];
    const exitCode = nightExitCode(codes, signal.aborted && bug === null);
    return { title: id, startedAt, seconds, exitCode, cases, remarks: all };
  };
  const summary = await closeNight(summaryWith, {
    ...{ outputs: request.outputs, out: request.json ? null : process.stdout, told },
    mark: (of) => writeNightMark(dir, startedAt, { ...mark, ended: true, summary: of }),
  });
  if (bug !== null) throw bug.error;
  told.tell(nightEnds(summary, dir));
  return summary.exitCode;
}

/** A history that cannot be written turns no verdict; it is said, and the night does not end as if nothing were. */
function kept(
  { theCase, summary, attempted }: NightCaseEnd,
  { reportsDir, night, dir }: { reportsDir: string | null; night: string; dir: string },
): readonly Remark[] {
  if (reportsDir === null || summary.verdict.status === 'SKIP') return [];
  try {
    keepInHistory(attempted.stored, { reportsDir, night, theCase, summary, dir });
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [{ level: 'lost', text: `${summary.name}: not kept in the history (${reportsDir}): ${why}` }];
  }
}

function codesOf(cases: readonly CaseSummary[], remarks: readonly Remark[]): readonly number[] {
  const remarked = { failure: EXIT.failed, lost: EXIT.lab, warning: EXIT.fine } as const;
  return [...cases.map(nightCodeOf), ...remarks.map(({ level }) => remarked[level])];
}

function nightBegins({ plan, labs }: NightRequest, night: string, dir: string): Happening {
  const shown = labs.map(({ name, lanes, cases }) => ({ lab: name, lanes, cases: cases.map((each) => each.name) }));
  return { event: 'night-begins', night, plan: plan.path, dir, labs: shown };
}

function nightEnds({ title, cases, exitCode, seconds }: Summary, dir: string): Happening {
  const tally = new Map<Standing, number>();
  for (const each of cases) tally.set(standing(each), (tally.get(standing(each)) ?? 0) + 1);
  const counts = Object.fromEntries(tally);
  return { event: 'night-ends', night: title, exitCode, seconds, cases: cases.length, counts, dir };
}

/** @param phases what can be run, as the entry file knows it */
export const nightly = (phases: readonly PhaseEntry[]): Command => ({
  ...{ options: NIGHT_OPTIONS, streams: 'events' },
  help: WORDS,
  onInterrupt: 'the cases that run clean up; once more leaves at once',
  run: async (call) => {
    const request = await nightRequest(call.given, call.environment, phases);
    if (call.given.value('list')?.text !== 'true') return night(request, call);
    if (request.json) throw bad('--json', 'a night that runs', '--list, too');
    list(request, new Date().toISOString().slice(0, 10), call);
    return EXIT.fine;
  },
});
