/**
 * A run that is killed without mercy, at each call that it makes, in the middle of an upload, and at each stage: the
 * next run on this machine leaves nothing of either in the lab, and what lies in the workdir does not look like a PASS.
 * A call on its way is carried out all the same, by a Xen Orchestra that does not know that its caller is dead. Guests
 * are simulated.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { inLanes } from '../lanes.ts';
import { CACHED, callsOfARun, KINDS } from './calls-of-a-run.ts';
import { type Ended, type Point, playTwo } from './two-runs.ts';

const LANES = 4;
const act: Point['act'] = (pid) => process.kill(-pid, 'SIGKILL');

function judge(t: Test, { first, second, afterSecond }: Ended, point: Point): void {
  t.equal(first.code, null, 'killed by the signal');
  t.notMatch(first.stdout, /PASS/);
  if (existsSync(first.workdir)) {
    if (first.metadata.size > 0) t.ok(first.metadata.has('exit_code'), 'its metadata are whole');
    for (const file of readdirSync(first.workdir).filter((name) => /\.(txt|json)$/.test(name))) {
      t.notMatch(readFileSync(join(first.workdir, file), 'utf8'), /PASS/, `${file} claims no PASS`);
    }
  }
  t.equal(second.code, 0, second.stderr);
  t.equal(second.metadata.get('result'), 'PASS');
  if (point.kind === 'cached') onlyTheEntry(t, second, afterSecond);
  else {
    t.same(second.left, [], 'nothing is left in the pool');
    t.same(afterSecond.ours, [], 'no tag, name or description of ours');
  }
  if (point.kind === 'fixed') t.equal(afterSecond.power, 'Halted', "the operator's VM is left as configured");
}

/** It is to stay, whichever of the two runs made it; nobody uses it. */
function onlyTheEntry(t: Test, { left }: Ended['second'], { ours }: Ended['afterSecond']): void {
  const what = left.map((each) => each.replace(/ [0-9a-f-]{36} /, ' ').replace(/ [0-9a-f]{12}$/, '')).sort();
  t.same(what, ['VBD ', 'VDI bootwitness cache'], 'one disk, attached once');
  t.equal(ours.filter((each) => each.startsWith('bootwitness:ready=')).length, 1, 'one entry that is ready');
  const others = ours.filter((each) => /^bootwitness phase|bootwitness:(run|case|using|leaving)=/.test(each));
  t.same(others, [], 'no tag, name or description of either run');
}

// A call that only asks leaves the pool as the call before it did.
const asks = (method: string): boolean => /^(session\.signIn|xo\.getAllObjects|system\.)/.test(method);
const calls = (await callsOfARun({ ...KINDS, cached: CACHED }))
  .filter(({ kind, method, nth }) => (kind === 'ephemeral' && nth === 1) || !asks(method))
  .map(({ kind, method, nth }): Point => {
    return { kind, name: `${kind}: at ${method} ${nth}`, mishap: `tell=${method}:${nth}`, act };
  });
const UPLOADS: Readonly<Record<string, readonly string[]>> = {
  ephemeral: ['0', '0.5', '1'],
  fixed: ['0.5', '1'],
  'older XO': ['0.5'],
  cached: ['0.5', '1'],
};
const uploads = Object.entries(UPLOADS).flatMap(([kind, fractions]) =>
  fractions.map((fraction): Point => {
    const name = `${kind}: when ${fraction} of the upload has arrived`;
    return { kind, name, mishap: `tell-upload=${fraction}`, act };
  }),
);
// Between the calls: while the guest is identified and probed.
const stages = ['ephemeral', 'fixed'].flatMap((kind) =>
  ['identify', 'probe', 'dispose'].map(
    (stage): Point => ({ kind, name: `${kind}: at the stage ${stage}`, stage, act }),
  ),
);
const points = [...calls, ...uploads, ...stages];
t.ok(points.length > 40, `${points.length} points`);

const outcomes = inLanes(LANES, points, playTwo);
for (const point of points) {
  t.test(point.name, async (t) => {
    const ended = await outcomes.get(point);
    if (ended === undefined) throw new Error('not run');
    judge(t, ended, point);
    t.comment(`${(ended.first.seconds + ended.second.seconds).toFixed(1)} s`);
  });
}
