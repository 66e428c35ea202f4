/** Makes the cases of a night out of its plan: each validated as a call of its phase, before any of them runs. */

import { Fault } from '../faults/faults.ts';
import { readSidecar } from '../image/sidecar.ts';
import type { Scenario } from '../model.ts';
import { type Request, readRequest } from '../options/config.ts';
import type { Environment } from '../options/given.ts';
import { loadLabFile } from '../options/lab-file.ts';
import type { LabFile } from '../options/lab-tables.ts';
import { repeatLine } from '../report/command-lines.ts';
import { imageName } from '../report/summary.ts';
import { refuseMistaken } from './mistaken.ts';
import { fits } from './pattern.ts';
import type { PlanFile, PlannedNightImage, PlannedNightLab } from './plan-file.ts';

/** A scenario as a program: what starts it, and how people call it. */
export interface PhaseEntry {
  readonly scenario: Scenario;
  /** `phase9` */
  readonly command: string;
  /** Its entry file. */
  readonly file: URL;
}

/** One case of a night, not run yet. */
export interface NightCase {
  /** Unique in the night, and fit for a folder: `phase9.fruix-main.pool1`. */
  readonly name: string;
  readonly phase: PhaseEntry;
  readonly image: PlannedNightImage;
  readonly lab: PlannedNightLab;
  /** Arguments of the phase; where it puts its workdir comes later. */
  readonly args: readonly string[];
  /** Command that runs it alone. */
  readonly repeat: string;
}

/** A lab with its cases. */
export interface NightLab {
  readonly name: string;
  /** Cases at a time. */
  readonly lanes: number;
  /** Why not more, for people. */
  readonly because: string;
  readonly cases: readonly NightCase[];
}

/** @throws Fault of the caller: BAD_PLAN, or what the phase itself would say */
export async function nightLabs(
  plan: PlanFile,
  phases: readonly PhaseEntry[],
  environment: Environment,
): Promise<readonly NightLab[]> {
  refuseMistaken(plan, environment);
  const labs: NightLab[] = [];
  for (const lab of plan.labs) {
    const images = plan.images.filter(({ name }) => lab.images.length === 0 || lab.images.includes(name));
    const cases: NightCase[] = [];
    for (const image of images) {
      for (const phase of phasesOf(plan, image, phases)) {
        cases.push(await nightCase({ plan, image, lab, phase, environment }));
      }
    }
    labs.push({ name: lab.name, cases, ...room(lab, cases[0], environment, plan.path) });
  }
  return labs;
}

function phasesOf(plan: PlanFile, image: PlannedNightImage, phases: readonly PhaseEntry[]): readonly PhaseEntry[] {
  const commands = phases.map(({ command }) => command);
  const unknown = image.scenarios.find((each) => !commands.includes(each));
  if (unknown !== undefined) {
    const expected = `some of ${commands.join(', ')}`;
    throw new Fault(
      'BAD_PLAN',
      `${plan.path}: images.${image.name}.scenarios: expected ${expected}, given "${unknown}"`,
    );
  }
  return phases.filter(({ command }) => image.scenarios.length === 0 || image.scenarios.includes(command));
}

interface Wanted {
  readonly plan: PlanFile;
  readonly image: PlannedNightImage;
  readonly lab: PlannedNightLab;
  readonly phase: PhaseEntry;
  readonly environment: Environment;
}

async function nightCase({ plan, image, lab, phase, environment }: Wanted): Promise<NightCase> {
  const at = `${plan.path}: images.${image.name}`;
  const { file } = image;
  const mode = file === null ? null : ((await readSidecar(file))?.bootMode ?? null);
  if (mode !== null && mode !== phase.scenario.bootMode) {
    const expected = `scenarios of the boot mode ${mode} that ${imageName(file)} declares`;
    throw new Fault('BAD_PLAN', `${at}.scenarios: expected ${expected}, given ${phase.command}`);
  }
  const flag = (name: string, value: string | null): readonly string[] => (value === null ? [] : [`--${name}`, value]);
  const args = [
    ...['--lab', lab.lab],
    ...flag('image', file),
    ...flag('expect-closure', image.expectClosure),
    ...flag('ssh-key', image.sshKey),
    ...flag('control', image.control),
    ...lab.args,
  ];
  const request = requestOf(args, environment, `${plan.path}: labs.${lab.name}`);
  const repeat = repeatLine(request, `npm run -s ${phase.command} --`, args);
  return { name: [phase.command, image.name, lab.name].join('.'), ...{ phase, image, lab, args, repeat } };
}

/** What the phase makes of it. @throws Fault of the caller, which names where the options came from */
function requestOf(args: readonly string[], environment: Environment, from: string): Request {
  const asked = said(from, () => readRequest(args, environment));
  if ('request' in asked) return asked.request;
  throw new Fault('BAD_PLAN', `${from}: expected options of a run, given ${args.join(' ')}`);
}

/** @throws Fault as `read` does, which names where that came from */
function said<T>(from: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault(error.code, `${from}: ${error.message}`, { cause: error });
  }
}

/** As many at a time as the plan says, and the lab file has room for. */
function room(
  lab: PlannedNightLab,
  first: NightCase | undefined,
  environment: Environment,
  plan: string,
): Pick<NightLab, 'lanes' | 'because'> {
  const wished = lab.parallel ?? Number.POSITIVE_INFINITY;
  const limits = first === undefined ? [] : limitsOf(first, environment, plan);
  const all = [...limits, { lanes: wished, because: 'parallel of the plan' }].sort((a, b) => a.lanes - b.lanes);
  const least = all[0];
  if (least === undefined || least.lanes === Number.POSITIVE_INFINITY) {
    return { lanes: 1, because: 'neither the plan nor the lab file says how many' };
  }
  return least;
}

function limitsOf(
  { args, lab }: NightCase,
  environment: Environment,
  plan: string,
): readonly Pick<NightLab, 'lanes' | 'because'>[] {
  if (lab.lab === 'embedded') return [{ lanes: lab.parallel ?? 1, because: 'a lab of its own for each' }];
  const { overrides } = requestOf(args, environment, lab.name);
  const { fixed, slots, maxGuests }: LabFile = said(`${plan}: labs.${lab.name}`, () => loadLabFile(lab.lab, overrides));
  if (fixed !== null) return [{ lanes: 1, because: 'one allotted VM' }];
  return [
    ...(maxGuests === null ? [] : [{ lanes: maxGuests, because: 'max_guests of the lab file' }]),
    ...(slots.length === 0 ? [] : [{ lanes: slots.length, because: 'slots of the lab file' }]),
  ];
}

/** The cases whose names fit a pattern (`*` for anything). */
export function onlyCases(labs: readonly NightLab[], pattern: string | null): readonly NightLab[] {
  if (pattern === null) return labs;
  return labs.map((lab) => ({ ...lab, cases: lab.cases.filter(({ name }) => fits(pattern, name)) }));
}
