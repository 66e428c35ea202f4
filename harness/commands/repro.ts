/** `npm run repro`: the case of a stored run once more, or many times: same image, scenario, budgets, lab. */

import { existsSync } from 'node:fs';
import { Writable } from 'node:stream';
import { EXIT } from '../../help/exits.ts';
import { Fault } from '../faults/faults.ts';
import { Invocation } from '../invocation.ts';
import type { PlannedImage, Scenario } from '../model.ts';
import type { CommandWords } from '../options/command-help.ts';
import { REPRO_OPTIONS } from '../options/command-options.ts';
import { type Request, readRequest } from '../options/config.ts';
import { bad } from '../options/given.ts';
import { loadGuestTables } from '../options/lab-file.ts';
import type { SshTable } from '../options/lab-tables.ts';
import { phaseCommand } from '../options/phase-help.ts';
import { watchStandstill } from '../process/standstill.ts';
import { type Difference, differencesBefore, scenarioOfThen, sentence, xoDifference } from '../repro/differences.ts';
import { argumentsAgain, otherLab } from '../repro/options-again.ts';
import { counted, exitCodeOf, outcomeOf, outcomeOfReport, type Repeated, tableLines } from '../repro/outcomes.ts';
import type { StoredReport } from '../stored/stored-report.ts';
import { readStoredRun } from '../stored/stored-run.ts';
import { version } from '../version.ts';
import type { Call, Command } from './command.ts';

const REPEAT_MAX = 10_000;
const OWN = ['repeat', 'force', 'json'];

type Scenarios = readonly [Scenario, ...Scenario[]];

interface Repeating {
  readonly report: StoredReport;
  /** With the budgets and boots of then. */
  readonly scenario: Scenario;
  readonly args: readonly string[];
  readonly request: Request;
  /** The image as it was known then, where its file is not here any more. */
  readonly remembered: PlannedImage | null;
  readonly differences: readonly Difference[];
  readonly elsewhere: boolean;
  readonly force: boolean;
  readonly times: number;
}

/** @throws Fault of the caller */
async function repeating({ given, environment, told }: Call, scenarios: Scenarios): Promise<Repeating> {
  const operand = given.operand();
  const { report, notes } = await readStoredRun(operand.text);
  for (const note of notes) told.note(`that run: ${note}`);
  const found = scenarios.find(({ name }) => name === report.scenario);
  if (found === undefined) {
    const expected = `a run of ${scenarios.map(({ name }) => name).join(' or ')}`;
    throw new Fault('BAD_OPTION', `${operand.from}: expected ${expected}, given one of ${report.scenario}`);
  }
  const scenario = scenarioOfThen(found, report);
  const flags = new Map(
    REPRO_OPTIONS.flatMap(({ name, secret }) => {
      const value = secret || OWN.includes(name) ? null : given.value(name);
      return value?.from.startsWith('--') ? [[name, value.text] as const] : [];
    }),
  );
  const elsewhere = otherLab({ report, flags });
  const { image, remembered } = imageOf(report, flags);
  const args = argumentsAgain({ report, scenario: found, flags, image, ssh: elsewhere ? sshOfThen(report) : null });
  const asked = readRequest(args, environment);
  if (!('request' in asked)) throw new Error('a repetition asked for help');
  const times = timesOf(given.value('repeat'));
  // Of many runs the one that failed is wanted.
  const keep = times > 1 && asked.request.keep !== null ? 'unless-passed' : asked.request.keep;
  return {
    ...{ report, scenario, args, request: { ...asked.request, keep }, remembered, elsewhere, times },
    differences: differencesBefore(report, scenario, version()),
    force: given.value('force')?.text === 'true',
  };
}

function timesOf(value: ReturnType<Call['given']['value']>): number {
  if (value === null) return 1;
  const times = /^\d{1,5}$/.test(value.text) ? Number(value.text) : 0;
  if (times >= 1 && times <= REPEAT_MAX) return times;
  throw bad(value.from, `a whole number from 1 to ${REPEAT_MAX}`, `"${value.text}"`);
}

type FoundImage = { readonly image: string | null; readonly remembered: PlannedImage | null };

/** @throws Fault BAD_IMAGE where nobody can have it */
function imageOf({ image, reference, asked, lab }: StoredReport, flags: ReadonlyMap<string, string>): FoundImage {
  if (flags.has('image') || reference) return { image: null, remembered: null };
  if (image === null) return { image: asked?.options.image ?? null, remembered: null };
  if (existsSync(image.path)) return { image: image.path, remembered: null };
  const wanted = `the file of the image with sha256 ${image.sha256}`;
  const embedded = (flags.get('lab') ?? (lab.kind === 'embedded' && !asked?.labFile ? 'embedded' : '')) === 'embedded';
  if (embedded || image.identity === null) {
    throw new Fault('BAD_IMAGE', `--image: expected ${wanted}, given nothing: it is not at ${image.path} any more`);
  }
  const { nonZeroBlocks: _, ...rest } = image;
  return { image: image.path, remembered: { ...rest, blocks: [] } };
}

/** Null: there was no file, or it is not here. */
function sshOfThen({ asked }: StoredReport): SshTable | null {
  if (!asked?.labFile || !existsSync(asked.labFile)) return null;
  return loadGuestTables(asked.labFile).ssh;
}

/** @throws Fault NOT_THE_SAME */
function refuseDifferences(differences: readonly Difference[], force: boolean, tell: (line: string) => void): void {
  for (const each of differences) tell(`not as then: ${sentence(each)}`);
  if (force || differences.length === 0) return;
  const given = differences.map(sentence).join('; ');
  throw new Fault('NOT_THE_SAME', `expected everything as it was in that run, or --force; given ${given}`);
}

/** One run of the case. @throws Fault of the caller */
async function once(call: Call, series: Repeating, label: string): Promise<Repeated> {
  const { report, scenario, request, args, remembered, elsewhere, force } = series;
  const agree = (xoVersion: string): void => {
    const difference = xoDifference(report, xoVersion);
    if (difference !== null) refuseDifferences([difference], force || elsewhere, call.told.note);
  };
  const invocation = new Invocation({
    ...{ scenario, args, request: { ...request, label: request.label ?? label }, told: call.told },
    out: new Writable({ write: (_piece, _encoding, done) => done() }),
    command: `npm run -s ${phaseCommand(scenario)} --`,
    sameAs: { remembered, sha256: report.image?.sha256 ?? null, agree },
  });
  const watching = new AbortController();
  watchStandstill(watching.signal);
  const exitCode = await invocation.go().finally(() => watching.abort());
  const ended = invocation.report;
  if (ended === null) throw new Error('a run ended without a report');
  const { workdir, runId, seconds, kept } = ended;
  return { workdir, runId, seconds, exitCode, outcome: outcomeOfReport(ended), kept: kept?.vm ?? null };
}

async function run(call: Call, scenarios: Scenarios): Promise<number> {
  const { told, given, print } = call;
  const series = await repeating(call, scenarios);
  const { report, differences, elsewhere, force, times } = series;
  if (elsewhere) told.note(`another lab than then, as asked for: ${report.lab.name} then`);
  refuseDifferences(differences, force, told.note);
  const then = outcomeOf(report);
  const runs: Repeated[] = [];
  for (let nth = 1; nth <= times; nth++) {
    const repeated = await once(call, series, `repro-${report.scenario}`);
    runs.push(repeated);
    if (times > 1) told.note(`run ${nth} of ${times}: ${repeated.outcome}`);
    if (repeated.exitCode === EXIT.interrupted || repeated.kept !== null) break;
  }
  const rows = counted(runs, then);
  const exitCode = exitCodeOf(runs.map((each) => each.exitCode));
  if (given.value('json')?.text === 'true') {
    const reproduced = rows.find(({ asThen }) => asThen)?.count ?? 0;
    const of = { workdir: report.workdir, runId: report.runId, outcome: then };
    print(
      JSON.stringify({ schema: 1, of, differences, elsewhere, outcomes: rows, reproduced, runs, exitCode }, null, 2),
    );
  } else for (const line of tableLines(rows, then, runs.length)) print(line);
  return exitCode;
}

const WORDS: CommandWords = {
  ...{ name: 'repro', group: 'failure', page: 'README.md#from-a-failing-workdir-to-a-live-machine' },
  summary: 'runs the case of a stored run again: the same image (by digest), scenario, budgets and lab',
  usage: ['WORKDIR [options]'],
  about: [
    'WORKDIR is that of the run, or its metadata.txt or result.json. The image is taken from where it lay, from the ' +
      'lab that keeps it, or from --image; another digest is refused. Whatever else is not as it was then (version ' +
      'of the harness, of Xen Orchestra, what is asserted) is said first, and it goes on only with --force. Each ' +
      'option of a phase can be given to change one thing; --lab embedded takes the failure of any lab to the QEMU ' +
      'of this machine. With --keep or --stop-at the machine stays; together with --repeat it is that of the first ' +
      'run which does not pass, and the series ends there.',
  ],
  examples: [
    { args: ['/tmp/phase9-xcpng-boot-1795390189'], does: 'once more, on the same lab' },
    {
      args: ['/tmp/phase9-xcpng-boot-1795390189', '--lab', 'embedded', '--keep'],
      does: 'on this machine, and the guest stays',
    },
    { args: ['/tmp/phase9-xcpng-boot-1795390189', '--repeat', '20', '--json'], does: 'how often each outcome comes' },
  ],
  precedence: 'flags > stored run > environment > lab file > defaults',
  stdout:
    'how often each outcome came; with --json schema, of (workdir, runId, outcome of then), differences, elsewhere, ' +
    'outcomes (outcome, count, rate from 0 to 1, asThen), reproduced (count), runs (workdir, runId, outcome, ' +
    'exitCode, seconds, kept), exitCode.',
  exits: {
    fine: 'PASS, of every run',
    failed: 'FAIL, of at least one run',
    misuse: 'misuse, or not the same as then: nothing was run',
    lab: 'ERROR, which says nothing about the image, and no FAIL beside it; or something was left in the lab',
    bug: 'our bug, whatever the other runs came to',
  },
};

/** @param scenarios those of the phases */
export const repro = (scenarios: Scenarios): Command => ({
  ...{ options: REPRO_OPTIONS, operand: 'WORKDIR', help: WORDS, ownSignals: true, streams: 'live' },
  onInterrupt: 'what was made is taken back',
  run: (call) => run(call, scenarios),
});
