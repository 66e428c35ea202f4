/**
 * For tests: a whole invocation (config to report) in this process, against an embedded lab in this process. They still
 * meet on the wire only; what is saved is the start of two processes per row. Guests are simulated.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Deadline } from '../../harness/deadline.ts';
import { Fault, faultRecord } from '../../harness/faults/faults.ts';
import { Invocation } from '../../harness/invocation.ts';
import type { Scenario } from '../../harness/model.ts';
import { readRequest } from '../../harness/options/config.ts';
import { plainProgress } from '../../harness/progress/open.ts';
import { bailOut } from '../../harness/reporters/tap.ts';
import { Secret } from '../../harness/workdir/secrets.ts';
import { openSession, type Session } from '../../harness/xcpng/session.ts';
import { labArguments } from '../../lab/arguments.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import type { Mishaps } from '../../lab/mishaps.ts';
import { phase9XcpngBoot } from '../../scenarios/phase9-xcpng-boot.ts';
import { phase11ShepherdPid1Xcpng } from '../../scenarios/phase11-shepherd-pid1-xcpng.ts';
import { recordCalls } from '../harness/xcpng/test-lab.ts';
import { readMetadata } from '../phase-process.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-witness-'));
// Not by tap: the matrix plays rows without it.
process.once('exit', () => rmSync(root, { recursive: true, force: true }));
let rows = 0;

/** What a row may do while its run goes on. */
export interface Backstage {
  readonly lab: Lab;
  readonly mishaps: Mishaps;
  /** A session of somebody else; opened when first asked for. */
  other(): Promise<Session>;
}

const SCENARIOS = { phase9: phase9XcpngBoot, phase11: phase11ShepherdPid1Xcpng } as const;
export type Phase = keyof typeof SCENARIOS;

export interface Play {
  /** Default: phase9. */
  readonly phase?: Phase;
  /** Changes what is asserted, e.g. a probe of it. */
  readonly scenario?: (scenario: Scenario) => Scenario;
  /** Arguments of the phase beyond `--lab`. */
  readonly args?: readonly string[];
  readonly mishaps?: readonly string[];
  /** The same, switched on when the run begins: the calls that make and list the pool for the test do not count. */
  readonly faults?: readonly string[];
  /** Content of `--guest-answers`. */
  readonly answers?: unknown;
  /** Changes the lab file's text. */
  readonly labFile?: (text: string) => string;
  /** Makes what is in the pool beforehand; more arguments come back. */
  readonly before?: (backstage: Backstage) => Promise<readonly string[]>;
  /**
   * Another run in the same lab before this one, of the same machine, workdir root and cache folder: it is given the
   * arguments of the phase and its environment. What it leaves counts as left.
   */
  readonly predecessor?: (
    backstage: Backstage,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ) => Promise<void>;
  /** Told each line of the lab's log, before the lab goes on. */
  readonly onLog?: (line: string) => void;
  /** Looks at the pool afterwards, while the lab still runs; also when the call was refused. */
  readonly after?: (backstage: Backstage) => Promise<void>;
  /** Called when a stage begins, e.g. `boot`, `probe`; not awaited. */
  readonly onStage?: (stage: string, backstage: Backstage) => void;
  /** As who repeats runs until one fails asks for it; no option says so. */
  readonly keep?: 'unless-passed';
  /** Keeps the calls that leave this process meanwhile: only while no other row is played. */
  readonly recordsCalls?: true;
}

export interface Played {
  readonly code: number;
  readonly metadata: ReadonlyMap<string, string>;
  /** Why the caller was refused; null: it was not. */
  readonly refused: Fault | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Text of a file of the workdir. */
  file(name: string, encoding?: BufferEncoding): string;
  /** VMs and VDIs that the pool has beyond what it began with: the lab's own books, not the harness's word. */
  readonly left: readonly string[];
  readonly seconds: number;
  /** Mishaps that were still waiting for their moment when the run had ended. */
  readonly unspent: readonly string[];
  /** Methods in the order of their calls; see `recordsCalls`. */
  readonly calls: readonly string[];
}

const within = (ms: number): Deadline => Deadline.after(ms, new AbortController().signal);

function collector(): { readonly stream: Writable; text(): string } {
  const pieces: Buffer[] = [];
  const stream = new Writable({
    write: (piece: Buffer, _encoding, done) => {
      pieces.push(piece);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(pieces).toString('utf8') };
}

const openOther = ({ url }: Lab, token: string): Promise<Session> =>
  openSession({
    url,
    credential: { token: new Secret(token) },
    tls: { insecure: false, caPem: null, fingerprint: null },
    deadline: within(60_000),
  });

/** Ids of what somebody could leave behind. */
async function belongings(session: Session): Promise<readonly string[]> {
  const all = (await session.call('xo.getAllObjects', {}, within(30_000))) as Record<string, Record<string, unknown>>;
  const kept = Object.values(all).filter(({ type }) => /^(VM|VDI|VBD|VIF)(-snapshot)?$/.test(String(type)));
  return kept.map(({ type, id, name_label }) => `${String(type)} ${String(id)} ${String(name_label ?? '')}`);
}

/** Plays one row: starts a lab, runs the phase on it, asks the pool what is left, ends the lab. */
export async function witness(play: Play): Promise<Played> {
  const dir = join(root, `row-${++rows}`);
  mkdirSync(join(dir, 'runs'), { recursive: true });
  const answers = join(dir, 'answers.json');
  writeFileSync(answers, JSON.stringify(play.answers ?? { guests: [] }));
  const mishaps = (play.mishaps ?? []).flatMap((each) => ['--mishap', each]);
  const wish = labArguments(['--backend', 'simulated', '--guest-answers', answers, ...mishaps], {});
  const starting = startLab(wish, play.onLog ?? (() => undefined));
  const lab = await starting.ready;
  const sessions: Promise<Session>[] = [];
  try {
    const file = join(dir, 'lab.toml');
    writeFileSync(file, (play.labFile ?? ((text) => text))(readFileSync(lab.labFile, 'utf8')));
    const token = await ownToken(lab);
    const backstage: Backstage = {
      lab,
      mishaps: wish.mishaps,
      other: () => {
        const session = sessions[0] ?? openOther(lab, token);
        if (sessions.length === 0) sessions.push(session);
        return session;
      },
    };
    const more = (await play.before?.(backstage)) ?? [];
    const before = new Set(await openAndList(lab, token));
    const own = [...(play.args ?? []), ...more];
    const keptNowhere = own.includes('--reports-dir') ? [] : ['--reports-dir', 'none'];
    const args = ['--lab', file, '--workdir-root', join(dir, 'runs'), ...keptNowhere, ...own];
    await play.predecessor?.(backstage, args, { BOOTWITNESS_CACHE_DIR: join(dir, 'cache') });
    for (const fault of play.faults ?? []) {
      const [name = '', value] = fault.split('=');
      wish.mishaps.set(name, value);
    }
    const recorded = play.recordsCalls ? recordCalls() : { calls: [], stop: () => undefined };
    const onStage = (stage: string): void => play.onStage?.(stage, backstage);
    const run = await invoke(play, args, onStage, join(dir, 'cache')).finally(recorded.stop);
    const calls = recorded.calls.map(({ method }) => method);
    const unspent = wish.mishaps.names();
    for (const name of unspent) wish.mishaps.clear(name);
    const left = (await openAndList(lab, token)).filter((each) => !before.has(each));
    await play.after?.(backstage);
    return { ...run, left, unspent, calls };
  } finally {
    for (const session of sessions) await (await session).close();
    await starting.close();
  }
}

/** Not the harness's: that one may be revoked. */
async function ownToken(lab: Lab): Promise<string> {
  const session = await openOther(lab, lab.token);
  try {
    return String(await session.call('token.create', { description: 'of the test' }, within(30_000)));
  } finally {
    await session.close();
  }
}

async function openAndList(lab: Lab, token: string): Promise<readonly string[]> {
  const session = await openOther(lab, token);
  try {
    return await belongings(session);
  } finally {
    await session.close();
  }
}

async function invoke(
  { phase = 'phase9', keep, scenario = (usual) => usual }: Play,
  args: readonly string[],
  onStage: (stage: string) => void,
  cacheDir: string,
): Promise<Omit<Played, 'left' | 'unspent' | 'calls'>> {
  const startedMs = performance.now();
  const [out, err] = [collector(), collector()];
  const asked = readRequest(args, { BOOTWITNESS_CACHE_DIR: cacheDir });
  if (!('request' in asked)) throw new Error('expected a request');
  const told = plainProgress({ write: (text) => err.stream.write(text) }, (event) => {
    if (event.event === 'step-begins') onStage(event.step);
  });
  const options = {
    scenario: scenario(SCENARIOS[phase]),
    request: keep === undefined ? asked.request : { ...asked.request, keep },
    told,
    out: out.stream,
    command: `${phase} --`,
    args,
  };
  let refused: Fault | null = null;
  const code = await new Invocation(options).go().catch(async (thrown: unknown) => {
    if (!(thrown instanceof Fault && thrown.party === 'caller')) throw thrown;
    refused = thrown;
    // As `phase.ts` ends it.
    told.refused(faultRecord(thrown), 2);
    out.stream.write(bailOut(faultRecord(thrown)));
    return 2;
  });
  // What was told and thrown at (a hook of a row that failed) is no less wrong for being told.
  await told.end();
  const stderr = err.text();
  const workdir = /^workdir: (.+)$/m.exec(stderr)?.[1] ?? '';
  return {
    ...{ code, refused },
    metadata: readMetadata(join(workdir, 'metadata.txt')),
    stdout: out.text(),
    stderr,
    file: (name, encoding = 'utf8') => readFileSync(join(workdir, name), encoding),
    seconds: (performance.now() - startedMs) / 1000,
  };
}
