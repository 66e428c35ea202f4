/** `npm run probe`: the probes of the phases on a machine that runs already, without a lab. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../../help/exits.ts';
import { Fault, faultRecord } from '../faults/faults.ts';
import type { Asking } from '../guest/interview.ts';
import { type Door, enter } from '../live/enter.ts';
import { type LiveWish, lookAtMachine, Sight } from '../live/look.ts';
import { readTarget, written } from '../live/target.ts';
import type { Scenario } from '../model.ts';
import type { CommandWords } from '../options/command-help.ts';
import { PROBE_OPTIONS } from '../options/command-options.ts';
import { labFilePath, positive, proofOf } from '../options/config.ts';
import { bad, type Given, path } from '../options/given.ts';
import { loadGuestTables, parseGuestTables } from '../options/lab-file.ts';
import type { GuestTables } from '../options/lab-tables.ts';
import type { Override } from '../options/toml-reader.ts';
import { type Logins, prepareLogins } from '../prepare/prepare-login.ts';
import { type LiveReport, liveJson, liveLines, NO_VERDICT, type Reached } from '../reporters/live.ts';
import type { SshSession } from '../ssh/session.ts';
import { Evidence, NOTHING_KEPT } from '../workdir/evidence.ts';
import { codeIn } from '../workdir/make-folder.ts';
import { type Call, type Command, failed } from './command.ts';

const HOST_KEY = /^SHA256:[A-Za-z0-9+/]{43}$/;
const WAIT_S_MAX = 86_400;

type Scenarios = readonly [Scenario, ...Scenario[]];

interface ProbeRequest {
  readonly door: Door;
  readonly file: GuestTables;
  readonly wish: LiveWish;
  readonly budgetScale: number;
  readonly evidenceDir: Override | null;
  readonly json: boolean;
}

/** @throws Fault of the caller */
function probeRequest(given: Given, scenarios: Scenarios): ProbeRequest {
  const ssh = given.value('ssh');
  if (ssh === null) throw bad('--ssh', 'the machine to look at, [user@]host[:port]', 'nothing');
  const target = readTarget(ssh);
  const hostKey = given.value('host-key');
  if (hostKey !== null && !HOST_KEY.test(hostKey.text)) {
    throw bad(hostKey.from, 'SHA256: and 43 characters, as ssh-keygen -l prints it', JSON.stringify(hostKey.text));
  }
  const file = guestTables(given, { from: ssh.from, ...target });
  return {
    door: { host: target.host, port: file.ssh.port, hostKey: hostKey?.text ?? null },
    file,
    wish: {
      ...{ scenarios, named: named(given.value('scenario'), scenarios), paths: file.paths },
      only: only(given.value('only'), scenarios),
      waitS: wait(given.value('wait')),
    },
    budgetScale: positive(given.value('budget-scale')) ?? file.budgetScale,
    evidenceDir: given.value('evidence'),
    json: given.value('json')?.text === 'true',
  };
}

/** The lab file, with the options over it, and what `--ssh` says of user and port over both. */
function guestTables(
  given: Given,
  { from, user, port }: { readonly from: string; readonly user: string | null; readonly port: number | null },
): GuestTables {
  const overrides = new Map(given.overrides());
  const lay = (key: string, text: string): void => {
    const other = overrides.get(key);
    if (other?.from.startsWith('--') && other.text !== text) {
      throw bad(other.from, `"${text}" as ${from} says, or it there only`, `"${other.text}"`);
    }
    overrides.set(key, { from, text });
  };
  if (user !== null) lay('ssh.user', user);
  if (port !== null) lay('ssh.port', String(port));
  const lab = given.value('lab');
  if (lab === null) return parseGuestTables('no lab file', '', overrides);
  if (lab.text === 'embedded') throw bad(lab.from, 'a lab file, for its [ssh] and [paths]', 'embedded, which has none');
  return loadGuestTables(labFilePath(lab.text), overrides);
}

/** `phase9` of `phase9-xcpng-boot`. */
const short = ({ name }: Scenario): string => name.split('-', 1)[0] ?? name;

function named(value: Override | null, scenarios: Scenarios): Scenario | null {
  if (value === null) return null;
  const found = scenarios.find((each) => each.name === value.text || short(each) === value.text);
  if (found === undefined) throw bad(value.from, scenarios.map(short).join(' or '), JSON.stringify(value.text));
  return found;
}

function only(value: Override | null, scenarios: Scenarios): readonly string[] | null {
  if (value === null) return null;
  const known = new Set(scenarios.flatMap(({ probes }) => probes.map(({ name }) => name)));
  return value.text.split(',').map((text) => {
    const name = text.trim().replaceAll('_', '-');
    if (!known.has(name)) throw bad(value.from, `some of ${[...known].join(', ')}`, JSON.stringify(text));
    return name;
  });
}

function wait(value: Override | null): number {
  if (value === null) return 0;
  const seconds = value.text.trim() === '' ? Number.NaN : Number(value.text);
  if (seconds >= 0 && seconds <= WAIT_S_MAX) return seconds;
  throw bad(value.from, `seconds from 0 to ${WAIT_S_MAX}`, JSON.stringify(value.text));
}

/** @throws Fault of the caller: nothing that is there is overwritten */
function openEvidence(dir: Override): { readonly evidence: Evidence; readonly file: string } {
  const folder = path(dir) ?? '';
  const file = join(folder, 'evidence.ndjson');
  const expected = 'a folder that is there or can be made, without an evidence.ndjson';
  try {
    if (!existsSync(folder)) mkdirSync(folder);
    return { evidence: new Evidence(folder), file };
  } catch (cause) {
    const why = codeIn(cause instanceof Fault ? cause.cause : cause);
    throw new Fault('BAD_OPTION', `${dir.from}: expected ${expected}, given ${folder}${why}`, { cause });
  }
}

/** Each phrase of what is run, with the probes that run it. */
function runsOf(scenarios: Scenarios): readonly string[] {
  const by = new Map<string, Set<string>>();
  for (const { name, runs } of scenarios.flatMap(({ probes }) => probes)) {
    for (const phrase of runs) by.set(phrase, new Set(by.get(phrase)).add(name));
  }
  return [...by].map(([phrase, names]) => `  ${phrase}: ${[...names].join(', ')}`);
}

const words = (scenarios: Scenarios): CommandWords => ({
  ...{ name: 'probe', group: 'machine', page: 'docs/probe.md' },
  summary: 'looks at a machine that runs, by the probes of the phases: no lab, no Xen Orchestra, no image',
  usage: ['--ssh [USER@]HOST[:PORT] [options]'],
  about: [
    `The first thing to do with a guest of your own: it says which path of the scenario was found where. ${NO_VERDICT}`,
    `Nothing is written to the machine: the scripts read files, tables and processes (what its sshd and its Shepherd \
log of being asked, they log). Beyond base tools this runs there, in these probes:
${runsOf(scenarios).join('\n')}
Where PID 1 leaves the boot mode open, Shepherd is asked as by shepherd-pid, also under --only.`,
  ],
  examples: [
    { args: ['--ssh', '192.0.2.20', '--ssh-key', '~/.ssh/fruix'], does: 'all probes, as root' },
    {
      args: ['--ssh', 'root@[2001:db8::1]:2222', '--ssh-agent', 'env', '--only', 'guile-module-smoke'],
      does: 'one of them, with the key in your agent',
    },
    {
      args: ['--ssh', '192.0.2.20', '--ssh-key', '~/.ssh/fruix', '--path-store', '/gnu/store', '--json'],
      does: 'a machine that keeps its store elsewhere, for a program',
    },
  ],
  precedence: 'flags > environment > lab file > defaults',
  stdout: 'what was found, for people; with --json one JSON object, described in docs/probe.md.',
  exits: {
    fine: 'every check is ok',
    failed: 'some check is not ok',
    lab: 'some check was unobserved, or the machine could not be reached, entered or stayed with',
  },
});

/** Looks, prints, and says by its exit code what came of it. */
async function run({ given, environment, print, told, signal }: Call, scenarios: Scenarios): Promise<number> {
  const startedMs = performance.now();
  const { door, file, wish, budgetScale, evidenceDir, json } = probeRequest(given, scenarios);
  const logins = prepareLogins(proofOf(given, environment), file);
  const login = logins.login();
  await logins.check(signal);
  const kept = evidenceDir === null ? null : openEvidence(evidenceDir);
  const asking: Asking = { evidence: kept?.evidence ?? NOTHING_KEPT, budgetScale, signal };
  // A jump host is on its way to us alone; nothing else ends that wait.
  signal.addEventListener('abort', () => void logins.jump?.close(), { once: true });
  const sight = new Sight();
  let reached: Reached | null = null;
  let session: SshSession | null = null;
  let thrown: unknown = null;
  try {
    told.step(`connect to ${written(door.host, door.port)}`);
    session = await enter(door, login, asking);
    reached = reachedBy(session, door, login, logins);
    asking.evidence.record('connection', 'live machine', reached);
    await lookAtMachine(asking, session, login, wish, { sight, tell: told.step });
  } catch (error) {
    thrown = error;
  } finally {
    session?.close();
    await logins.jump?.close();
    kept?.evidence.close();
  }
  // Aborted is not always thrown: an answer that comes with the interrupt may still be taken.
  if (signal.aborted) thrown = signal.reason;
  const report: LiveReport = {
    ...{ reached, sight, named: wish.named !== null, evidence: kept?.file ?? null },
    fault: thrown === null ? null : faultRecord(thrown),
    seconds: (performance.now() - startedMs) / 1000,
  };
  if (json) print(liveJson(report));
  else if (reached !== null) for (const line of liveLines(report)) print(line);
  return thrown === null ? codeOf(sight) : failed(thrown, told);
}

type User = Pick<Reached, 'user' | 'become'>;

function reachedBy({ banner, hostKey }: SshSession, door: Door, { user, become }: User, { jump }: Logins): Reached {
  const through = jump && { where: jump.name, hostKey: jump.hostKey };
  const where = written(door.host, door.port);
  return { where, user, become, banner, hostKey, pinned: door.hostKey !== null, jump: through };
}

function codeOf(sight: Sight): number {
  const outcomes = sight.checks().map(({ outcome }) => outcome);
  if (outcomes.includes('failed')) return EXIT.failed;
  return outcomes.length === 0 || outcomes.includes('unobserved') ? EXIT.lab : EXIT.fine;
}

/** @param scenarios one for each boot mode */
export const probe = (scenarios: Scenarios): Command => ({
  options: PROBE_OPTIONS,
  help: words(scenarios),
  onInterrupt: 'nothing on the machine was changed',
  run: (call) => run(call, scenarios),
});
