/**
 * The machine that runs the harness fails it, at any moment: no room on its disk, no file descriptor left, the workdir
 * removed. That is an ERROR of this machine, never a PASS, and nothing stays in the lab. Limits are set from outside at
 * the exact moment, so that neither root nor a file system is needed. Guests are simulated.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { inLanes } from '../lanes.ts';
import { type Ended, type Point, playTwo } from './two-runs.ts';

const LANES = 4;

interface Row extends Point {
  readonly code: 'OUTPUT_UNWRITABLE' | 'MACHINE_EXHAUSTED';
}

const limit = (pid: number, what: string): void => {
  execFileSync('prlimit', ['--pid', String(pid), what]);
};
/** No file takes a byte more, as on a full disk. */
const full: Point['act'] = (pid) => limit(pid, '--fsize=0:unlimited');
/** What is open stays open, and nothing else can be opened. */
const noDescriptors: Point['act'] = (pid) => limit(pid, '--nofile=3');
const removed: Point['act'] = (_pid, root) => {
  for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
};

const FULL_AT: Readonly<Record<string, readonly string[]>> = {
  ephemeral: [
    ...['session.signIn', 'xo.getAllObjects', 'vm.create', 'upload', 'vdi.set', 'tag.add', 'vm.attachDisk'],
    ...['vm.start', 'vm.stop', 'vm.delete', 'vdi.delete', 'xo.getAllObjects:7'],
  ],
  fixed: ['tag.add', 'upload', 'vm.start', 'vm.stop', 'tag.remove:2'],
};
const moment = (at: string): string => (at === 'upload' ? 'tell-upload=0.5' : `tell=${at.replace(/^[^:]+$/, '$&:1')}`);

const rows: readonly Row[] = [
  ...Object.entries(FULL_AT).flatMap(([kind, moments]) =>
    moments.map((at): Row => {
      return { kind, name: `${kind}: full at ${at}`, mishap: moment(at), act: full, code: 'OUTPUT_UNWRITABLE' };
    }),
  ),
  ...['identify', 'probe'].map((stage): Row => {
    return { kind: 'ephemeral', name: `full at the stage ${stage}`, stage, act: full, code: 'OUTPUT_UNWRITABLE' };
  }),
  ...['session.signIn', 'vm.create', 'upload', 'vm.start', 'vm.delete'].map((at): Row => {
    const name = `workdir removed at ${at}`;
    return { kind: 'ephemeral', name, mishap: moment(at), act: removed, code: 'OUTPUT_UNWRITABLE' };
  }),
  ...['session.signIn', 'vm.create', 'vm.start', 'vm.stop', 'xo.getAllObjects:7'].map((at): Row => {
    const name = `no descriptors at ${at}`;
    // Who cannot connect tries until the boot's budget ends.
    const scale = at === 'vm.start' ? { scale: 0.1 } : {};
    return { kind: 'ephemeral', name, mishap: moment(at), act: noDescriptors, ...scale, code: 'MACHINE_EXHAUSTED' };
  }),
];

function judge(t: Test, { first, afterFirst, second }: Ended, row: Row): void {
  t.equal(first.code, 3, first.stderr);
  t.match(first.stdout, new RegExp(`^Bail out! ${row.code} \\(machine\\)`, 'm'));
  t.notMatch(first.stdout + first.stderr, /^(# )?(PASS|FAIL) /m);
  t.match(first.stderr, /^ERROR phase9-xcpng-boot/m);
  t.match(first.stderr, /^fault: {2}the machine that ran this/m);
  t.notMatch(first.stderr, /LEFT IN THE LAB/);
  t.same(afterFirst.ours, [], 'nothing of ours is in the pool');
  if (row.kind === 'fixed') t.equal(afterFirst.power, 'Halted', 'left as configured');
  if (existsSync(first.workdir)) kept(t, first.workdir, first.metadata);
  t.equal(second.code, 0, second.stderr);
  t.same(second.left, []);
}

/** What could be kept is, each line of it whole, and nothing looks like a PASS. */
function kept(t: Test, workdir: string, metadata: ReadonlyMap<string, string>): void {
  if (metadata.size > 0) t.match([metadata.get('result'), metadata.has('exit_code')], ['ERROR', true]);
  const files = readdirSync(workdir);
  t.same(
    files.filter((name) => name.endsWith('.part')),
    [],
    'no half file',
  );
  for (const name of ['evidence.ndjson', 'journal.ndjson'].filter((each) => files.includes(each))) {
    const text = readFileSync(join(workdir, name), 'utf8');
    const lines = text.split('\n').slice(0, -1);
    t.doesNotThrow(() => lines.map((line) => JSON.parse(line) as unknown), `${name}: ${lines.length} whole lines`);
    t.ok(text === '' || text.endsWith('\n'));
  }
}

const outcomes = inLanes<Row, Ended>(LANES, rows, playTwo);
for (const row of rows) {
  t.test(row.name, async (t) => {
    const ended = await outcomes.get(row);
    if (ended === undefined) throw new Error('not run');
    judge(t, ended, row);
    t.comment(`${ended.first.seconds.toFixed(1)} s`);
  });
}
