/** Progress for a log: what is said, how often, and what `--quiet` leaves of it. */
import t from 'tap';
import type { Happening } from '../../../harness/progress/event.ts';
import { Plain } from '../../../harness/reporters/plain.ts';
import { Quiet } from '../../../harness/reporters/quiet.ts';
import { byHand, caseEnds, nightBegins, of, runBegins, stage, upload } from '../progress/by-hand.ts';

function log(make: typeof Plain | typeof Quiet = Plain) {
  let text = '';
  const write = (piece: string): void => {
    text += piece;
  };
  const hand = byHand(new make({ write }));
  const said = (): readonly string[] => {
    const lines = text === '' ? [] : text.trimEnd().split('\n');
    text = '';
    return lines;
  };
  return { ...hand, said };
}

const ENDED: Happening & { readonly event: 'run-ends' } = {
  ...{ event: 'run-ends', runId: 'r', scenario: 'phase9', status: 'PASS', headline: 'PASS phase9', cause: null },
  ...{ exitCode: 0, seconds: 1, workdir: '/w', facts: { ready_marker: 'ready' }, warnings: [], kept: null },
  ...{ leaked: [], problems: [], repeat: 'npm run -s phase9', look: ['/w/log.ndjson'] },
};
const CAUSE = { code: 'VM_LOST', party: 'lab', message: 'it was\n\u001b[31mdeleted', remedy: 'Look who.' } as const;

t.test('a step, a few lines of an upload, and no control characters', async (t) => {
  const { tell, go, said } = log();
  tell(runBegins);
  tell({ event: 'step-begins', step: 'provision' });
  for (let mib = 0; mib <= 100; mib += 5) {
    tell(upload(mib, 100));
    go(1);
  }
  tell({ event: 'note', text: 'of a guest: \u001b[2Jx' });
  t.same(said(), [
    '[   0.0 s] provision',
    '[   5.0 s] upload 25.0 of 100.0 MiB',
    '[  10.0 s] upload 50.0 of 100.0 MiB',
    '[  15.0 s] upload 75.0 of 100.0 MiB',
    '[  20.0 s] upload 100.0 of 100.0 MiB',
    '[  21.0 s] of a guest: \\u001b[2Jx',
  ]);
  tell(stage('create', 60));
  tell(upload(10, 100));
  tell(upload(90, 100));
  tell(upload(100, 100));
  t.equal(said().length, 1, 'another upload begins anew; what comes within a moment is left out');
});

t.test('a wait is told each fifteen seconds, and so is whatever else takes long', async (t) => {
  const { tell, go, said } = log();
  tell(runBegins);
  tell({ event: 'step-begins', step: 'boot' });
  tell(stage('kernel', 40));
  for (let s = 0; s < 40; s++) {
    tell({ event: 'waiting', seen: 'connected, no banner', waitedS: s, budgetS: 60 });
    go(1);
  }
  t.same(said(), [
    '[   0.0 s] boot',
    '[  15.0 s] waiting for the guest, 15 of 60 s: connected, no banner',
    '[  30.0 s] waiting for the guest, 30 of 60 s: connected, no banner',
  ]);
  tell({ event: 'step-begins', step: 'dispose' });
  tell(stage('dispose', 180));
  for (let s = 0; s < 62; s++) go(1);
  t.same(said(), [
    '[  40.0 s] dispose',
    '[  70.0 s] still dispose, 30 of 180 s',
    '[ 100.0 s] still dispose, 60 of 180 s',
  ]);
});

t.test('a night: beginnings, ends, and each minute what runs; the rest is in the log of the case', async (t) => {
  const { tell, go, said } = log();
  tell(nightBegins('pool1', ['a', 'b']));
  tell({ event: 'attempt-begins', lab: 'pool1' }, of('a'));
  tell({ event: 'step-begins', step: 'boot' }, of('a'));
  tell(stage('kernel', 400), of('a'));
  tell({ event: 'note', text: 'of its own' }, of('a'));
  tell({ ...ENDED, exitCode: 3 }, of('a'));
  tell({ event: 'attempt-begins', lab: 'pool1' }, of('b'));
  tell(stage('upload', 400), of('b'));
  tell(upload(3, 4), of('b'));
  for (let s = 0; s < 65; s++) go(1);
  tell({ event: 'attempt-repeated', cause: CAUSE }, of('b'));
  tell(caseEnds('PASS', 65), of('a'));
  tell({ ...caseEnds('FAIL', 1), standing: 'known' }, of('b'));
  tell({ ...caseEnds('FAIL', 1), leaked: ['VM x'] }, of('c'));
  tell({ event: 'lab-given-up', lab: 'pool1', cause: CAUSE });
  tell({ event: 'remark', level: 'warning', text: 'odd' });
  tell({
    event: 'night-ends',
    night: 'n',
    exitCode: 3,
    seconds: 65,
    cases: 2,
    counts: { pass: 1, error: 1 },
    dir: '/n',
  });
  t.same(said(), [
    '[   0.0 s] night: /nights/n',
    '[   0.0 s] 2 cases on 1 lab',
    '[   0.0 s] a: begins',
    '[   0.0 s] b: begins',
    '[  60.0 s] 0 of 2 done, 1 running, 1 waiting',
    '[  60.0 s]   b: upload 3.0 of 4.0 MiB',
    '[  65.0 s] b: VM_LOST (lab): it was \\u001b[31mdeleted; it is tried again',
    '[  65.0 s] a: PASS (65.0 s)',
    '[  65.0 s] b: FAIL, known: WHY (1.0 s)',
    '[  65.0 s] c: FAIL: WHY (1.0 s), 1 LEFT IN THE LAB',
    '[  65.0 s]   workdir: /w',
    '[  65.0 s]   cause:  because',
    '[  65.0 s]   LEFT IN THE LAB: VM x',
    '[  65.0 s] pool1: VM_LOST concerns the whole lab: its remaining cases end with it (it was \\u001b[31mdeleted)',
    '[  65.0 s] WARNING: odd',
    '[  65.0 s] 2 cases: 1 pass, 1 error; exit code 3; /n',
  ]);
});

t.test('quiet: nothing of what went well', async (t) => {
  const { tell, said, go } = log(Quiet);
  for (const happening of [runBegins, stage('a', 1), upload(1, 2), ENDED]) tell(happening);
  tell(nightBegins('pool1', ['a']));
  tell({ event: 'attempt-begins', lab: 'pool1' }, of('a'));
  tell({ event: 'attempt-repeated', cause: CAUSE }, of('a'));
  tell({ ...ENDED, exitCode: 3, cause: CAUSE }, of('a'));
  tell(caseEnds('PASS', 1), of('a'));
  tell({ event: 'warning', text: 'slow' });
  tell({ event: 'night-ends', night: 'n', exitCode: 0, seconds: 1, cases: 1, counts: { pass: 1 }, dir: '/n' });
  go(100);
  t.same(said(), []);
});

t.test('quiet: whatever ended badly, or stays', async (t) => {
  const { tell, said } = log(Quiet);
  tell({ ...ENDED, status: 'ERROR', headline: 'ERROR phase9', exitCode: 3, cause: CAUSE, leaked: ['VM x'] });
  t.match(said(), [
    ...['ERROR phase9', 'workdir: /w', 'cause:  VM_LOST: it was \\u001b[31mdeleted', /^fault: {2}the lab/],
    ...['remedy: Look who.', /^look: /, 'again:  npm run -s phase9', 'LEFT IN THE LAB: VM x'],
  ]);
  const commands = { shell: 's', console: 'c', ssh: null, remove: 'r' };
  tell({ ...ENDED, kept: { vm: 'v', name: 'n', until: 'u', afterwards: 'deleted', commands }, problems: ['LOST'] });
  t.match(said(), ['', /^KEPT: VM v n/, 'shell:   s', 'console: c', 'remove:  r', 'LOST']);
  tell({ event: 'refused', cause: CAUSE, exitCode: 2, hints: ['Try this:'] });
  tell(caseEnds('ERROR', 1), of('a'));
  tell({ event: 'warning', text: 'STILL LEFT: x', stays: true });
  tell({ event: 'warning', text: 'STILL LEFT: y', stays: true }, of('a'));
  tell({ event: 'remark', level: 'failure', text: 'expired' });
  tell({ event: 'night-ends', night: 'n', exitCode: 130, seconds: 1, cases: 1, counts: { error: 1 }, dir: '/n' });
  t.match(said(), [
    ...['it was \\u001b[31mdeleted. Look who.', 'Try this:'],
    ...['a: ERROR: WHY (1.0 s)', 'workdir: /w', 'cause:  because', 'remedy: Do it.'],
    ...[/ warning: STILL LEFT: x$/, / a: warning: STILL LEFT: y$/, /FAILURE: expired/, /exit code 130/],
  ]);
});
