/** `npm run sweep`: removes what runs left in a pool, by hand. */

import { EXIT } from '../../help/exits.ts';
import { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { SweepLines } from '../lab.ts';
import type { CommandWords } from '../options/command-help.ts';
import { SWEEP_OPTIONS } from '../options/command-options.ts';
import { type Request, requestOf } from '../options/config.ts';
import { bad, path } from '../options/given.ts';
import type { Override } from '../options/toml-reader.ts';
import { prepareSettings } from '../prepare/prepare.ts';
import { deadRun, mayLeaveMore } from '../process/predecessors.ts';
import { RunRegistry } from '../process/run-registry.ts';
import { sweepXo } from '../xcpng/sweep.ts';
import type { Call, Command } from './command.ts';
import { type NightsWish, sweepNights } from './sweep-nights.ts';

const SWEEP_MS = 60 * 60_000;
const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

interface SweepRequest {
  readonly request: Request;
  readonly dryRun: boolean;
  readonly runId: string | null;
}

function sweepRequest({ given, environment }: Call): SweepRequest {
  const runId = given.value('run-id');
  if (runId !== null && !RUN_ID.test(runId.text)) {
    throw new Fault('BAD_OPTION', `${runId.from}: expected a run id as in metadata.txt, given "${runId.text}"`);
  }
  const request = requestOf(given, environment);
  if (request.lab.kind === 'embedded') {
    const expected = 'a lab file or --xo-url: the embedded lab ends with its run and keeps nothing';
    throw new Fault('BAD_OPTION', `--lab: expected ${expected}, given ${request.lab.named ? 'embedded' : 'nothing'}`);
  }
  return { request, dryRun: given.value('dry-run')?.text === 'true', runId: runId?.text.toLowerCase() ?? null };
}

const WORDS: CommandWords = {
  ...{ name: 'sweep', group: 'lab', page: 'README.md#what-a-killed-run-leaves' },
  summary: "removes what killed runs left in a pool: VMs, disks, and locks on operators' VMs",
  usage: ['[options]'],
  about: [
    'What is removed carries our claim and names itself by uuid, and is expired, or of a run of this machine that ' +
      'is dead. Whatever else carries a tag of ours (clones, snapshots, runs that go on) is listed and left. Runs ' +
      'sweep by themselves when they begin and end. --nights is for the end of a CI job, however it ends (docs/ci.md).',
  ],
  examples: [
    { args: ['--lab', 'pool1', '--dry-run'], does: 'what would go' },
    { args: ['--lab', 'pool1'], does: 'remove what is expired, or of a run of this machine that is dead' },
    {
      args: ['--lab', 'pool1', '--run-id', '0f9a1b2c-0000-4000-8000-000000000001'],
      does: 'what one run made, expired or not, also a machine that it kept',
    },
    { args: ['--nights', './nights'], does: 'what the nights kept there left, also as the last step of a CI job' },
  ],
  precedence: 'flags > environment > lab file > defaults',
  stdout: 'a line for each thing: removed, left in the lab, left alone.',
  exits: {
    fine: 'nothing of ours stayed',
    misuse: 'misuse: one sentence says what was expected; nothing was begun, but by --nights on labs that are not gone',
    lab: 'something stayed, may still come or still runs, or the lab could not be asked',
  },
};

/** Sweeps as it was asked for. @returns the exit code; what was done is printed line by line */
async function run(call: Call): Promise<number> {
  const nights = call.given.value('nights');
  if (nights !== null) return sweepNights(nightsWish(nights, call), call);
  const { request, dryRun, runId } = sweepRequest(call);
  const settings = prepareSettings(request);
  const registry = new RunRegistry(request.cacheDir);
  const runs = registry.runs(settings.url);
  const alive = runs.find((each) => each.runId === runId && each.state === 'alive');
  if (alive) {
    const given = `${runId}, which still runs as process ${alive.pid}`;
    throw new Fault('BAD_OPTION', `--run-id: expected a run that has ended, given ${given}`);
  }
  const dead = runs.filter((each) => each.state === 'dead' || each.runId === runId);
  const only = runId === null ? null : [runId];
  // Who names a run wants what it made gone, also what is kept.
  const wish = { dead: dead.map(deadRun), only, dryRun, takesKept: runId !== null };
  const swept = await sweepXo(settings, wish, Deadline.after(SWEEP_MS, call.signal));
  printSwept(swept, dryRun, call.print);
  if (swept.stayed.length > 0) return EXIT.lab;
  const asked = dead.filter((each) => only === null || only.includes(each.runId));
  const settled = asked.filter((each) => !mayLeaveMore(each));
  if (!dryRun) for (const each of settled) registry.forget(each.runId);
  return EXIT.fine;
}

/** Their labs are those of their plan. */
function nightsWish(nights: Override, { given, print }: Call): NightsWish {
  const other = ['--lab', '--xo-url', '--run-id'].find((flag) => given.value(flag.slice(2))?.from === flag);
  if (other !== undefined)
    throw bad(nights.from, `no ${other} beside it: labs and runs are those of the nights`, other);
  const dryRun = given.value('dry-run')?.text === 'true';
  const printLines = (swept: SweepLines): void => printSwept(swept, dryRun, print);
  return { from: nights.from, dir: path(nights) ?? '', dryRun, printSwept: printLines };
}

function printSwept({ removed, stayed, left }: SweepLines, dryRun: boolean, print: (line: string) => void): void {
  for (const line of removed) print(`${dryRun ? 'would remove' : 'removed'} ${line}`);
  for (const line of stayed) print(`LEFT IN THE LAB ${line}`);
  for (const line of left) print(`left alone ${line}`);
  const done = `${removed.length} ${dryRun ? 'to remove (dry run)' : 'removed'}`;
  print(`${done}, ${stayed.length} left in the lab, ${left.length} left alone`);
}

export const sweep: Command = { options: SWEEP_OPTIONS, help: WORDS, onInterrupt: 'what was removed is removed', run };
