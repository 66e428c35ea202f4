/**
 * What would make cases of a night be others than their names say, or leave some out unnoticed: refused before any of
 * them runs.
 */
import { statSync } from 'node:fs';
import { Fault } from '../faults/faults.ts';
import { bad, type Environment } from '../options/given.ts';
import { loadLabFile } from '../options/lab-file.ts';
import { OPTIONS, OUTPUT_OPTIONS } from '../options/options.ts';
import type { PlanFile, PlannedNightImage, PlannedNightLab } from './plan-file.ts';

/** Of one case: its name would lie about all others. */
const OF_ONE_CASE = ['image', 'expect-closure'];
/** Of one Xen Orchestra: its own, and what opens it. */
const OF_ONE_XO = ['url', 'token', 'token-file', 'email', 'password', 'password-file', 'fingerprint'].map(
  (each) => `xo-${each}`,
);
/** Where a case reports and how the night finds it again, and what is no case at all. */
const OF_THE_NIGHT: ReadonlySet<string> = new Set([
  ...OUTPUT_OPTIONS.map(({ name }) => `--${name}`),
  ...['--reports-dir', '--night', '--workdir-root', '--label', '--help', '-h', '--version'],
]);

/** @throws Fault of the caller: BAD_PLAN, BAD_ENVIRONMENT */
export function refuseMistaken(plan: PlanFile, environment: Environment): void {
  for (const option of OPTIONS.filter(({ name }) => ['lab', ...OF_ONE_CASE].includes(name))) {
    const given = environment[option.environment];
    if (given === undefined) continue;
    throw bad(option.environment, 'it to be unset in a night, whose plan says that for each case', `"${given}"`);
  }
  refuseOneXo(plan, environment);
  for (const lab of plan.labs) refuseArgs(lab, plan.path);
  for (const image of plan.images) refuseMissing(image, plan);
  const unused = plan.images.find(({ name }) =>
    plan.labs.every(({ images }) => images.length > 0 && !images.includes(name)),
  );
  if (unused === undefined) return;
  const expected = `a lab that runs it, given labs whose images leave it out`;
  throw new Fault('BAD_PLAN', `${plan.path}: images.${unused.name}: expected ${expected}`);
}

function refuseArgs({ name, args }: PlannedNightLab, plan: string): void {
  const isOf = (names: ReadonlySet<string>) => args.find((arg) => names.has(arg.replace(/=.*/s, '')));
  const expected = `${plan}: labs.${name}.args: expected options of single cases, given`;
  const outputs = isOf(OF_THE_NIGHT);
  if (outputs !== undefined) throw new Fault('BAD_PLAN', `${expected} "${outputs}": outputs are the night's own`);
  const image = isOf(new Set(OF_ONE_CASE.map((each) => `--${each}`)));
  if (image !== undefined) throw new Fault('BAD_PLAN', `${expected} "${image}": it stands with each image`);
}

/** A file that is not there ends its cases one by one, deep in the night. */
function refuseMissing({ name, file, sshKey, control }: PlannedNightImage, { path }: PlanFile): void {
  const files = { file, ssh_key: sshKey, control: control === 'none' ? null : control };
  for (const [key, given] of Object.entries(files)) {
    const found = given === null ? null : statSync(given, { throwIfNoEntry: false });
    if (found === null || (found !== undefined && !found.isDirectory())) continue;
    const expected = `${key === 'ssh_key' ? 'a private key' : 'an image'}, given ${given}`;
    throw new Fault('BAD_PLAN', `${path}: images.${name}.${key}: expected ${expected}`);
  }
}

/** A variable wins over every lab file: all labs of the night would be one, or one's token would be told to all. */
function refuseOneXo({ labs }: PlanFile, environment: Environment): void {
  const option = OPTIONS.find((each) => OF_ONE_XO.includes(each.name) && environment[each.environment] !== undefined);
  if (option === undefined) return;
  const urls = labs.flatMap(({ name, lab }) => {
    const url = ownUrl(lab);
    return url === null ? [] : [{ name, url }];
  });
  const [first, other] = [urls[0], urls.find(({ url }) => url !== urls[0]?.url)];
  if (first === undefined || other === undefined) return;
  const theirs = [first, other].map(({ name, url }) => `${name}: ${url}`).join(', ');
  const given = option.secret ? 'one (it is not shown)' : `"${environment[option.environment]}"`;
  throw bad(option.environment, `it to be unset where labs are of several Xen Orchestras (${theirs})`, given);
}

/** Null: it names none, or cannot be read, which is told where it is needed. */
function ownUrl(lab: string): string | null {
  try {
    return lab === 'embedded' ? null : loadLabFile(lab).xo.url;
  } catch (error) {
    if (error instanceof Fault) return null;
    throw error;
  }
}
