/** `npm run doctor`: looks at a lab from outside to inside, changes nothing, and says what to do. */
import { EXIT } from '../../help/exits.ts';
import { Deadline } from '../deadline.ts';
import { broken, type Finding, type Look, look, ok, STATUSES, warning } from '../finding.ts';
import { openImageFile } from '../image/image-file.ts';
import { planImage } from '../image/plan.ts';
import { Scratch } from '../image/scratch.ts';
import { readSidecar } from '../image/sidecar.ts';
import { BOOT_MODES, type BootMode, type PlannedImage } from '../model.ts';
import type { CommandWords } from '../options/command-help.ts';
import { DOCTOR_OPTIONS } from '../options/command-options.ts';
import { type Request, requestOf } from '../options/config.ts';
import { refuseForEmbedded } from '../options/contradictions.ts';
import { bad, type Given } from '../options/given.ts';
import { startEmbeddedLab } from '../prepare/embedded.ts';
import { type Prepared, prepareLab } from '../prepare/prepare.ts';
import { scrub } from '../workdir/secrets.ts';
import { examineXo, type WriteWish } from '../xcpng/doctor/examine.ts';
import type { Call, Command } from './command.ts';

const EXAMINE_MS = 5 * 60_000;
/** First build of the reference guest included. */
const EMBEDDED_START_MS = 15 * 60_000;
const NAME_COLUMNS = 16;

const CONTROL_NAMES = { 'freebsd-init+rc.d-shepherd': 'control-init', 'shepherd-pid1': 'control-pid1' } as const;

const WORDS: CommandWords = {
  ...{ name: 'doctor', group: 'lab', page: 'docs/lab-setup.md' },
  summary: 'looks at a lab, changes nothing, and says what is ok, what is not, and what to do then',
  usage: ['[options]'],
  about: [
    'The first thing to call with a lab of your own, and whenever something is odd. It looks from outside to ' +
      'inside: Xen Orchestra, rights, storage, network, image, key, control images. "unknown" is what cannot be ' +
      'told without a run: said, not guessed. Only with --write-test something is written, where you say, and what ' +
      'was made is removed.',
  ],
  examples: [
    { args: ['--lab', 'embedded'], does: 'can this machine run the embedded lab?' },
    {
      args: ['--lab', 'pool1', '--image', 'fruix.raw'],
      does: 'the lab of labs/pool1.toml, and whether this image fits it',
    },
    {
      args: ['--lab', 'pool1', '--write-test', 'sr:Local storage'],
      does: 'also whether a disk can be made and read there',
    },
  ],
  precedence: 'flags > environment > lab file > defaults',
  stdout: 'one line for each thing, with what to do below it; with --json one JSON object: schema, findings.',
  exits: { fine: 'nothing is broken (there may be warnings)', lab: 'something is broken' },
};

async function sshKey({ login, check }: Prepared, signal: AbortSignal): Promise<Look> {
  const { user, proof, become } = login();
  await check(signal);
  const how = [
    proof.key === null ? [] : ['a private key that opens'],
    proof.agent === null ? [] : ['an agent with keys'],
  ];
  return ok(`${user}${become === null ? '' : `, root by ${become}`}, with ${how.flat().join(' and ')}`);
}

async function jumpHost({ jump }: Prepared): Promise<Look> {
  if (jump === null) return ok('none: guests are reached straight from here');
  await jump.open();
  return ok(`${jump.name}, host key ${jump.hostKey ?? 'unknown'}; whether it forwards, only a guest can show`);
}

/** Is it there to be read? Not read whole: a run does that, and remembers it. */
async function control(path: string | null, bootMode: BootMode): Promise<Look> {
  if (path === null) {
    return warning(
      `none for ${bootMode}: an image that is silent stays undetermined (SILENT_NO_CONTROL)`,
      'Name an image that has passed here as [control] of the lab file.',
    );
  }
  const { file, sizeBytes } = await openImageFile(path);
  await file.close();
  const declared = (await readSidecar(path))?.bootMode ?? bootMode;
  if (declared === bootMode) return ok(`${path}, ${(sizeBytes / 2 ** 20).toFixed(0)} MiB, for ${bootMode}`);
  return broken(`${path} is named for ${bootMode}, and its sidecar says ${declared}`, 'Name an image of that mode.');
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws Fault BAD_OPTION, BAD_ENVIRONMENT */
function writeWish(given: Given): WriteWish | null {
  const wish = given.value('write-test');
  if (wish === null) return null;
  const [, kind, what = ''] = /^(sr|vdi):(.+)$/.exec(wish.text) ?? [];
  if (kind === 'sr') return { kind, name: what };
  if (kind === 'vdi' && UUID.test(what)) return { kind, uuid: what.toLowerCase() };
  throw bad(wish.from, 'sr:NAME, or vdi: and the uuid of a scratch disk', `"${wish.text}"`);
}

async function examine(request: Request, labFile: string | null, call: Call): Promise<readonly Finding[]> {
  const { signal, told, given } = call;
  const write = writeWish(given);
  const modes = BOOT_MODES.map((mode) => [mode, prepareLab(request, labFile, mode)] as const);
  const [[, prepared]] = modes as [(typeof modes)[number]];
  const { imagePath, cacheDir } = request;
  let image: PlannedImage | null = null;
  if (imagePath !== null) {
    told.note(`read ${imagePath}`);
    const scratch = new Scratch({ dir: request.workdirRoot });
    image = await planImage(imagePath, { cacheDir, scratch, signal }).finally(() => scratch.close());
  }
  told.note(`look at ${prepared.settings.name}`);
  const findings = [...(await examineXo(prepared.settings, { image, write }, Deadline.after(EXAMINE_MS, signal)))];
  findings.push(await look('ssh-key', () => sshKey(prepared, signal)));
  findings.push(await look('jump-host', () => jumpHost(prepared)));
  for (const [mode, { controlPath }] of modes) {
    findings.push(await look(CONTROL_NAMES[mode], () => control(controlPath, mode)));
  }
  await prepared.jump?.close();
  return findings;
}

async function withLab(request: Request, call: Call): Promise<readonly Finding[]> {
  if (request.lab.kind !== 'embedded') return examine(request, null, call);
  const embedded = await startEmbeddedLab({
    ...{ environment: request.childEnvironment, cacheDir: request.cacheDir },
    deadline: Deadline.after(EMBEDDED_START_MS, call.signal),
    onLine: (line) => call.told.note(`lab: ${line}`),
  });
  try {
    return await examine(request, embedded.labFile, call);
  } finally {
    await embedded.stop();
  }
}

const counted = (findings: readonly Finding[]): string =>
  STATUSES.map((wanted) => `${findings.filter(({ status }) => status === wanted).length} ${wanted}`).join(', ');

function print(findings: readonly Finding[], json: boolean, line: (text: string) => void): void {
  if (json) {
    line(scrub(JSON.stringify({ schema: 1, findings }, null, 2)));
    return;
  }
  for (const { name, status, seen, remedy } of findings) {
    line(scrub(`${status.padEnd(8)} ${name.padEnd(NAME_COLUMNS)} ${seen}`));
    if (remedy !== '') line(`${' '.repeat(9)}${' '.repeat(NAME_COLUMNS)} → ${scrub(remedy)}`);
  }
  line(counted(findings));
}

async function run(call: Call): Promise<number> {
  const request = requestOf(call.given, call.environment);
  refuseForEmbedded(request);
  writeWish(call.given); // refused before a lab is started
  const findings = await withLab(request, call);
  print(findings, call.given.value('json')?.text === 'true', call.print);
  return findings.some(({ status }) => status === 'broken') ? EXIT.lab : EXIT.fine;
}

export const doctor: Command = { options: DOCTOR_OPTIONS, help: WORDS, onInterrupt: 'nothing was changed', run };
