/** The options of the commands beside the phases: each its own, and those of the one table that it shares. */
import { inGroup, OPTIONS, type Option, OUTPUT_OPTIONS } from './options.ts';

const sweeping = inGroup('sweep');

/** Options of `npm run sweep`: those of the lab, and its own. */
export const SWEEP_OPTIONS: readonly Option[] = [
  sweeping('dry-run', null, 'say what would go, and change nothing'),
  sweeping('run-id', 'ID', 'only what this run made, expired or not; it stands in metadata.txt (default: of any run)'),
  sweeping(
    'nights',
    'DIR',
    'only what the nights kept there made, on all their labs; those that still run are ended (default: none)',
  ),
  ...OPTIONS.filter(({ group }) => group === 'lab'),
];

const keeping = inGroup('images');

/** Options of `npm run images`: those of the lab, and its own. */
export const IMAGES_OPTIONS: readonly Option[] = [
  keeping('older-than', 'DAYS', 'prune what was not used for so long'),
  keeping('digest', 'SHA256', 'prune this image'),
  keeping('all', null, 'prune every image that no run uses at the moment; only as a flag', { flagOnly: true }),
  keeping('json', null, 'print JSON instead of lines'),
  keeping('dry-run', null, 'say what would go, and change nothing'),
  ...OPTIONS.filter(({ group }) => group === 'lab'),
];

const probing = inGroup('probe');

/** Options of `npm run probe`: how one gets into the machine, where it keeps its things, and its own. */
export const PROBE_OPTIONS: readonly Option[] = [
  probing('ssh', '[USER@]HOST[:PORT]', 'the machine to look at (must be given); IPv6 in brackets: [2001:db8::1]:22'),
  probing('scenario', 'phase9 | phase11', 'what it is compared with (default: that of the boot mode it shows)'),
  probing('only', 'PROBE[,PROBE…]', 'these probes and no others (default: those of the scenario)'),
  probing('wait', 'SECONDS', 'how long the ready marker is waited for (default: 0, looked at once)'),
  probing('host-key', 'SHA256:…', 'its host key, as ssh-keygen -l prints it (default: any, shown)'),
  probing('evidence', 'DIR', 'keep every command and its output there, as evidence.ndjson (default: nowhere)'),
  probing('json', null, 'print one JSON object instead of lines'),
  probing(
    'lab',
    'NAME | FILE',
    'lab file whose [ssh] and [paths] count; no Xen Orchestra is contacted (default: none)',
  ),
  probing(
    'budget-scale',
    'NUMBER',
    'factor for the time that a probe may take, for a slow machine (default: of the lab file, else 1)',
  ),
  ...OPTIONS.filter(({ group }) => group === 'ssh' || group === 'paths'),
];

const linting = inGroup('lint');

/** Options of `npm run lint-image`. */
export const LINT_OPTIONS: readonly Option[] = [
  linting('firmware', 'bios | uefi', 'firmware that the guest will have (default: say by which it could boot)'),
  linting('vdi-size', 'BYTES', 'size of the VDI that the image is written to (default: one is made to fit)'),
  linting('json', null, 'print the findings as JSON'),
];

const doctoring = inGroup('doctor');

/** Options of `npm run doctor`: those that say where guests are and how they are reached, and its own. */
export const DOCTOR_OPTIONS: readonly Option[] = [
  doctoring('json', null, 'print one JSON object instead of lines'),
  doctoring(
    'write-test',
    'sr:NAME | vdi:UUID',
    'write to a new small disk there, or over that scratch disk (default: nothing is written)',
  ),
  // It writes no report.
  ...OPTIONS.filter(({ group }) => group !== 'outputs').filter(
    ({ group, name }) => group !== 'run' || ['image', 'control'].includes(name),
  ),
];

const comparing = inGroup('compare');

/** Options of `npm run compare`. */
export const COMPARE_OPTIONS: readonly Option[] = [
  comparing('json', null, 'print one JSON object with all of it'),
  comparing('all', null, 'show also what differs between any two runs: ids, addresses, times of day'),
];

const rejudging = inGroup('rejudge');

/** Options of `npm run rejudge`. */
export const REJUDGE_OPTIONS: readonly Option[] = [
  rejudging('json', null, 'print one JSON object with all checks'),
  rejudging('all', null, 'show also the checks that are as they were'),
];

const packing = inGroup('pack');

/** Options of `npm run pack`: its own, and those that say where secrets are. */
export const PACK_OPTIONS: readonly Option[] = [
  packing('out', 'FILE', "the archive to be made (default: the workdir's name, in this folder)"),
  packing('lab', 'NAME | FILE', 'lab file whose secrets are looked for (default: the one that the run named)'),
  ...OPTIONS.filter(({ name }) => /^(xo|ssh)(-jump)?-(token|password|passphrase|key)(-file)?$/.test(name)),
];

/** Options of `npm run site`. */
export const SITE_OPTIONS: readonly Option[] = [
  inGroup('run')('reports-dir', 'DIR', 'folder whose runs are shown, and where the pages go (default: reports, here)'),
];

const nightly = inGroup('night');

/** Options of `npm run nightly`. What is asked of single cases stands in its plan. */
export const NIGHT_OPTIONS: readonly Option[] = [
  nightly(
    'plan',
    'FILE',
    'which images, by which scenarios, on which labs: see plans/nightly.example.toml (must be given)',
  ),
  nightly('list', null, 'say what would run, and end; no lab is asked'),
  nightly('cases', 'PATTERN', 'only cases whose name fits, * for anything: phase9.* (default: all)'),
  nightly('retries', 'NUMBER', 'run a case again that a fault of the lab ended, so often (default: 1)', {
    key: 'retries',
  }),
  nightly('workdirs', 'DIR', 'where nights are kept (default: nights, in the state folder)', { key: 'workdirs' }),
  nightly('keep-days', 'DAYS', 'for how long (default: 14)', { key: 'keep_days' }),
  nightly(
    'known-failures',
    'FILE',
    'failures that are known, see plans/known-failures.example.toml (default: known_failures of the plan)',
    {
      key: 'known_failures',
    },
  ),
  ...OPTIONS.filter(({ name }) => name === 'reports-dir'),
  ...OUTPUT_OPTIONS,
];

const repeating = inGroup('repro');

/** Options of `npm run repro`: all of a phase, where something is to be otherwise, and its own. */
export const REPRO_OPTIONS: readonly Option[] = [
  repeating('repeat', 'NUMBER', 'run it so often, and say how often each outcome came (default: 1)'),
  repeating('force', null, 'go on although something cannot be as it was then'),
  repeating('json', null, 'print one JSON object instead of a table'),
  // Reports of the run that is repeated are not written over.
  ...OPTIONS.filter(({ group }) => group !== 'outputs'),
];

const entering = inGroup('shell');

/** Options of `npm run shell`: how one gets into the guest, where that is not as it was in the run. */
export const SHELL_OPTIONS: readonly Option[] = [
  entering('host-key', 'SHA256:…', "the guest's host key (default: the one that the run saw)"),
  ...OPTIONS.filter(({ name }) => ['ssh-key', 'ssh-passphrase', 'ssh-passphrase-file', 'ssh-agent'].includes(name)),
];

const looking = inGroup('console');

/** Options of `npm run console`: where it is written to, and those of the lab. */
export const CONSOLE_OPTIONS: readonly Option[] = [
  looking('out', 'DIR', "folder for picture and texts (default: kept, in the run's workdir)"),
  ...OPTIONS.filter(({ group }) => group === 'lab'),
];

/** Of every command: a variable of another command is no mistake. */
export const ALL_OPTIONS: readonly Option[] = [
  ...OPTIONS,
  ...SWEEP_OPTIONS,
  ...PROBE_OPTIONS,
  ...LINT_OPTIONS,
  ...IMAGES_OPTIONS,
  ...DOCTOR_OPTIONS,
  ...COMPARE_OPTIONS,
  ...REJUDGE_OPTIONS,
  ...PACK_OPTIONS,
  ...SITE_OPTIONS,
  ...NIGHT_OPTIONS,
  ...REPRO_OPTIONS,
  ...SHELL_OPTIONS,
  ...CONSOLE_OPTIONS,
];
