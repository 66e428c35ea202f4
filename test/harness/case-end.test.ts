/**
 * The end of a case where something fails at its last moment: a guest is kept only when that is written down, and a
 * PASS whose report is lost is none. Lab, disposals and timeline are real or as small as they can be.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import t from 'tap';
import type { World } from '../../harness/boot/boot.ts';
import { Timeline } from '../../harness/boot/timeline.ts';
import { Disposals } from '../../harness/disposals.ts';
import { judge } from '../../harness/judge.ts';
import { endCase, type KeepWish } from '../../harness/keep/keep.ts';
import type { Guest, Lab } from '../../harness/lab.ts';
import { NO_OUTPUTS } from '../../harness/options/output-files.ts';
import { leaveAtOnce } from '../../harness/process/interrupt.ts';
import { awaitTurn } from '../../harness/process/turn.ts';
import type { Happening } from '../../harness/progress/event.ts';
import { plainProgress } from '../../harness/progress/open.ts';
import { closeCase } from '../../harness/report/close-case.ts';
import { Evidence } from '../../harness/workdir/evidence.ts';
import type { Log } from '../../harness/workdir/log.ts';
import { phase9XcpngBoot } from '../../scenarios/phase9-xcpng-boot.ts';
import { check } from './reporters/summaries.ts';
import { SAMPLE } from './stored/sample.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-case-end-'));
t.teardown(() => rmSync(root, { recursive: true }));
const { signal } = new AbortController();
const log = { error: () => undefined, info: () => undefined } as unknown as Log;
const timeline = () => new Timeline(() => undefined, new Date());

/** A case with a guest that is to be kept, whose journal takes all but one event. */
async function endWith(refused: string, wish: Partial<KeepWish> = {}) {
  const [events, notes, calls]: string[][] = [[], [], []];
  const journal = ({ event }: { readonly event?: unknown }): void => {
    if (event === refused) throw new Error('ENOSPC');
    events?.push(String(event));
  };
  const disposals = new Disposals(journal);
  const undo = async (): Promise<readonly string[]> => {
    calls?.push('undone');
    return [];
  };
  disposals.register('VM', {}, undo, async () => void calls?.push('marked'));
  const keep: KeepWish = { when: 'always', hours: 1, remember: () => undefined, holdLab: null, ...wish };
  const world = {
    ...{ keep, signal, journal, log, budgetScale: 1, timeline: timeline() },
    lab: { timeOfDayMs: () => 0 } as Lab,
    tell: (happening: Happening) => happening.event === 'warning' && notes?.push(happening.text),
  } as unknown as World;
  const guest = { uuid: 'u', name: 'n', afterwards: 'deleted', address: async () => null } as unknown as Guest;
  const { budgets } = phase9XcpngBoot;
  const ended = await endCase({ world, disposals, budgets, guest, address: null, passed: false });
  return { ended, events, notes, calls };
}

t.test('a guest is kept when that is written down, and taken back where it cannot be', async (t) => {
  const kept = await endWith('none');
  t.match(kept.ended, { kept: { vm: 'u', until: '1970-01-01T01:00:00.000Z' }, left: [] });
  t.same(kept.calls, ['marked']);
  const unwritten = await endWith('guest-kept');
  t.same(unwritten.ended, { kept: null, left: [] });
  t.same(unwritten.calls, ['marked', 'undone']);
  t.match(unwritten.notes, ['the guest could not be kept: ENOSPC']);
});

t.test('a guest that this machine cannot remember is not kept: the next run would sweep it', async (t) => {
  const remember = (): never => {
    throw Object.assign(new Error('read-only file system'), { code: 'EROFS' });
  };
  const { ended, calls, notes } = await endWith('none', { remember });
  t.same([ended.kept, calls], [null, ['undone']]);
  t.match(notes, ['the guest could not be kept: read-only file system']);
});

t.test('who is passed by is kept only where all of it is wanted', async (t) => {
  const { ended, calls } = await endWith('none', { when: 'unless-passed' });
  t.match([ended.kept?.vm, calls], ['u', ['marked']]);
});

/** Closes a PASS whose `--report-json` cannot be written. @param spoil is called when that is tried */
async function closing(name: string, spoil: (workdir: string) => void) {
  const workdir = mkdtempSync(join(root, `${name}-`));
  const evidence = new Evidence(workdir);
  let [tap, told] = ['', ''];
  const out = new Writable({
    write: (piece, _encoding, done) => {
      tap += piece;
      done();
    },
  });
  const code = await closeCase(
    { ...SAMPLE, workdir },
    {
      ...{ evidence, out, history: { reportsDir: null, night: null } },
      formats: {
        ...NO_OUTPUTS,
        get 'report-json'() {
          spoil(workdir);
          return { path: join(root, 'no-such-folder', 'x.json'), append: false };
        },
      },
      told: plainProgress({ write: (text) => (told += text) }),
    },
  );
  return { code, tap, told, files: existsSync(workdir) ? readdirSync(workdir).sort() : [] };
}

t.test('a format that was not written makes 3 of 0, and the report says so', async (t) => {
  const { code, tap, told, files } = await closing('format', () => undefined);
  t.equal(code, 3);
  t.match(told, /A FORMAT WAS NOT WRITTEN: /);
  t.match(tap, /^ok 1 - sshd_status$/m);
  t.same(files, ['evidence.ndjson', 'metadata.txt', 'repro.json', 'result.json']);
});

t.test('a PASS whose report is lost as its exit code changes is none, on either stream', async (t) => {
  const { code, tap, told } = await closing('report', (workdir) => rmSync(workdir, { recursive: true }));
  t.equal(code, 3);
  t.match(tap, /^Bail out! OUTPUT_UNWRITABLE \(machine\)/m);
  t.match(told, /the workdir holds no report: /);
  t.notMatch(told, /^PASS/m);
});

t.test(
  'stdout on a full disk: what stays in the lab, the workdir and the kept machine are told all the same',
  async (t) => {
    for (const [status, was] of [
      ['PASS', 0],
      ['FAIL', 1],
    ] as const) {
      const workdir = mkdtempSync(join(root, 'stdout-'));
      const full = new Writable({ write: (_piece, _encoding, done) => done(new Error('ENOSPC')) });
      full.on('error', () => undefined);
      const ends: Happening[] = [];
      const told = plainProgress({ write: () => true }, (event) => event.event === 'run-ends' && ends.push(event));
      const checks = [check('uname', status === 'PASS' ? 'held' : 'failed')];
      const result = SAMPLE.result && { ...SAMPLE.result, leaked: ['VM 1 name'] };
      const report = { ...SAMPLE, workdir, result, exitCode: was, verdict: judge({ checks, fault: null }) };
      const history = { reportsDir: null, night: null };
      const evidence = new Evidence(workdir);
      const code = await closeCase(report, { evidence, history, formats: NO_OUTPUTS, out: full, told });
      t.equal(code, 3);
      const problems = [/^stdout cannot be written: ENOSPC/];
      t.match(ends, [{ status, workdir, leaked: ['VM 1 name'], exitCode: 3, problems }]);
      t.equal(JSON.parse(readFileSync(join(workdir, 'result.json'), 'utf8')).exitCode, 3, 'a night compares them');
    }
  },
);

t.test('a time limit: half of what is left for work may be waited, and only a wait is a stage', async (t) => {
  const waits: number[] = [];
  const awaited = async (leftMs: number, who: string | null) => {
    const told: string[] = [];
    const time = timeline();
    const lab = {
      admit: async (_run: string, waitMs: number, _signal: AbortSignal, onWait: (who: string) => void) => {
        waits.push(waitMs);
        if (who !== null) for (let nth = 0; nth < 2; nth++) onWait(who);
        return null;
      },
    } as unknown as Lab;
    await awaitTurn(lab, leftMs, { runId: 'r', timeline: time, tell: (line) => told.push(line), log, signal });
    time.end('it is our turn');
    return [time.records.map(({ stage }) => stage), told];
  };
  t.same(await awaited(600_000, null), [[], []]);
  t.same(await awaited(600_000, 'run x'), [['turn'], Array(2).fill('waiting for its turn: run x')]);
  await awaited(Number.POSITIVE_INFINITY, null);
  await awaited(-1, null);
  t.same(waits, [300_000, 300_000, 7 * 86_400_000, 0]);
});

t.test('who leaves at once ends the lab that was started for the run, also one that was to stay', async (t) => {
  const done: string[] = [];
  const { exit, stderr } = process;
  const { write } = stderr;
  t.teardown(() => {
    process.exit = exit;
    stderr.write = write;
  });
  process.exit = ((code: number) => {
    done.push(`exit ${code}`);
  }) as typeof exit;
  stderr.write = ((text: string) => done.push(text.split(';')[0] ?? '') > 0) as typeof write;
  leaveAtOnce('/w', 'npm run sweep', { abandon: () => void done.push('abandoned') }, () => {
    done.push('cleared');
  });
  t.same(done, ['abandoned', 'cleared', 'left at once', 'exit 130']);
});
