/** `npm run sweep`, from the command line to the exit code. */
import { ownEnvironment, type Request, requestOf } from './config.ts';
import { Deadline } from './deadline.ts';
import { Fault, faultRecord } from './faults.ts';
import { type Environment, Given } from './given.ts';
import { listenForInterrupt } from './interrupt.ts';
import type { SweepLines } from './lab.ts';
import { OPTIONS, optionsHelp, SWEEP_OPTIONS, variablesHelp } from './options.ts';
import { deadRun } from './predecessors.ts';
import { prepareSettings } from './prepare.ts';
import { type People, people } from './reporters/people.ts';
import { RunRegistry } from './run-registry.ts';
import { version } from './version.ts';
import { sweepXo } from './xcpng/sweep.ts';

const SWEEP_MS = 60 * 60_000;
const MISUSE_EXIT = 2;
const LAB_EXIT = 3;
const BUG_EXIT = 70;
const INTERRUPTED_EXIT = 130;
const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface SweepRequest {
  readonly request: Request;
  readonly dryRun: boolean;
  readonly runId: string | null;
}

/** @throws Fault BAD_OPTION, BAD_ENVIRONMENT, BAD_URL, LAB_NOT_NAMED */
export function readSweepRequest(
  args: readonly string[],
  environment: Environment,
): SweepRequest | { readonly print: 'help' | 'version' } {
  const given = new Given(SWEEP_OPTIONS, args, environment);
  if (given.print !== null) return { print: given.print };
  given.refuseUnknownVariables([...OPTIONS, ...SWEEP_OPTIONS]);
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

const HELP = `sweep: removes what runs of Bootwitness left in a pool: VMs, disks, and locks on operators' VMs.

Usage: npm run -s sweep -- [options]

What is removed carries our claim and names itself by uuid, and is expired, or of a run of this machine that is dead.
Whatever else carries a tag of ours (clones, snapshots, runs that go on) is listed and left.

Options (flags > environment > lab file > defaults)
${optionsHelp(SWEEP_OPTIONS)}

Each option is also read from BOOTWITNESS_<NAME>. Besides these:
${variablesHelp(SWEEP_OPTIONS)}

Exit codes: 0 nothing of ours stayed; 2 misuse; 3 something stayed, or the lab could not be asked; 130 interrupted.
`;

/** Sweeps as it was asked for. @returns the exit code; what was done is printed line by line */
export async function runSweep(
  { request, dryRun, runId }: SweepRequest,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const settings = prepareSettings(request);
  const registry = new RunRegistry(request.cacheDir);
  const runs = registry.runs(settings.url);
  const alive = runs.find((run) => run.runId === runId && run.state === 'alive');
  if (alive) {
    const given = `${runId}, which still runs as process ${alive.pid}`;
    throw new Fault('BAD_OPTION', `--run-id: expected a run that has ended, given ${given}`);
  }
  const dead = runs.filter((run) => run.state === 'dead' || run.runId === runId);
  const only = runId === null ? null : [runId];
  const swept = await sweepXo(settings, { dead: dead.map(deadRun), only, dryRun }, Deadline.after(SWEEP_MS, signal));
  printSwept(swept, dryRun, print);
  if (swept.stayed.length > 0) return LAB_EXIT;
  const settled = dead.filter((run) => only === null || only.includes(run.runId));
  if (!dryRun) for (const run of settled) registry.forget(run.runId);
  return 0;
}

function printSwept({ removed, stayed, left }: SweepLines, dryRun: boolean, print: (line: string) => void): void {
  for (const line of removed) print(`${dryRun ? 'would remove' : 'removed'} ${line}`);
  for (const line of stayed) print(`LEFT IN THE LAB ${line}`);
  for (const line of left) print(`left alone ${line}`);
  const done = `${removed.length} ${dryRun ? 'to remove (dry run)' : 'removed'}`;
  print(`${done}, ${stayed.length} left in the lab, ${left.length} left alone`);
}

function failed(thrown: unknown, told: People): number {
  const cause = faultRecord(thrown);
  if (cause.party === 'harness') process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  told.misuse(cause);
  if (cause.code === 'INTERRUPTED') return INTERRUPTED_EXIT;
  return cause.party === 'caller' ? MISUSE_EXIT : cause.party === 'harness' ? BUG_EXIT : LAB_EXIT;
}

/** The whole program; ends the process. */
export async function sweepCommand(argv: readonly string[]): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined); // `| head`
  const told = people(process.stderr);
  const interrupt = listenForInterrupt(
    (signal) => told.note(`${signal}: stopping; what was removed is removed`),
    () => process.exit(INTERRUPTED_EXIT),
  );
  let code: number;
  try {
    const asked = readSweepRequest(argv.slice(2), ownEnvironment());
    if ('print' in asked) {
      process.stdout.write(asked.print === 'version' ? `${version()}\n` : HELP);
      code = 0;
    } else code = await runSweep(asked, (line) => void process.stdout.write(`${line}\n`), interrupt.signal);
  } catch (thrown) {
    code = failed(thrown, told);
  }
  process.exit(code);
}
