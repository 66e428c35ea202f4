/** What a person sees on a terminal while it runs, read from the screen of one. */
import t from 'tap';
import { LiveView } from '../../../harness/reporters/live-view.ts';
import { byHand, caseEnds, nightBegins, of, runBegins, stage, upload } from '../progress/by-hand.ts';
import { VirtualTerminal } from './virtual-terminal.ts';

function onTerminal(columns: number, rows: number, colours = false) {
  const screen = new VirtualTerminal(columns, rows);
  const view = new LiveView(screen, { colours });
  return { screen, view, ...byHand(view) };
}

const CASES = ['phase9.fruix-main.pool1', 'phase11.fruix-main.pool1', 'phase9.old.pool1'];

/** Two cases run, one waits. */
function aNight(columns: number, rows: number) {
  const all = onTerminal(columns, rows);
  const { tell, go } = all;
  const [one = '', two = ''] = CASES;
  tell(nightBegins('pool1', CASES));
  for (const name of [one, two]) tell({ event: 'attempt-begins', lab: 'pool1' }, of(name));
  tell({ event: 'step-begins', step: 'provision' }, of(one));
  tell(stage('upload', 420), of(one));
  tell(upload(0, 134), of(one));
  tell({ event: 'step-begins', step: 'boot' }, of(two));
  tell(stage('kernel', 40), of(two));
  go(6);
  tell(upload(60.5, 134), of(one));
  go(4);
  return all;
}

t.test('80 columns: a line for each case, and how far the night is', async (t) => {
  const { screen, tell, go, progress } = aNight(80, 24);
  t.same((await screen.lines()).slice(-3), [
    'phase9.fruix-main.pool1   upload [#####-----] 45 %  6.0 MiB/s  12 s left',
    'phase11.fruix-main.pool1  boot: kernel  [###-------] 25 %  10 s of 40 s',
    '0 of 3 done, 2 running, 1 waiting; 0 passed, 0 failed, 0 error; 10 s',
  ]);
  tell(caseEnds('FAIL', 74.94), of(CASES[1] ?? ''));
  go(0.5);
  t.same((await screen.lines()).slice(-5), [
    '[  10.0 s] phase11.fruix-main.pool1: FAIL: WHY (74.9 s)',
    '[  10.0 s]   workdir: /w',
    '[  10.0 s]   cause:  because',
    'phase9.fruix-main.pool1  upload [#####-----] 45 %  5.8 MiB/s  12 s left',
    '1 of 3 done, 1 running, 1 waiting; 0 passed, 1 failed, 0 error; 10 s',
  ]);
  await progress.end();
  const left = await screen.lines();
  t.match(left.slice(-3), [/phase11.fruix-main.pool1: FAIL/, /workdir/, /cause/], 'the block is gone');
  t.same(await screen.cursor(), { line: left.length, column: 0 });
  t.notOk(screen.written.includes('\u001b[?25l'), 'the cursor was never hidden');
});

t.test('40 columns: names are cut, and the rest says as much as there is room for', async (t) => {
  const { screen } = aNight(40, 24);
  const lines = await screen.lines();
  t.same(lines.slice(-3), [
    'phase9.fruix-m…  upload 45 %  12 s left',
    'phase11.frui…  boot  25 %  10 s of 40 s',
    '0 of 3 done, 2 running, 1 waiting; 0 p…',
  ]);
});

t.test('more cases than lines: those that fit, and how many more', async (t) => {
  const { screen, tell, go } = onTerminal(80, 6);
  const names = Array.from({ length: 12 }, (_, nth) => `phase9.i${nth}.pool1`);
  tell(nightBegins('pool1', names));
  for (const name of names) tell({ event: 'attempt-begins', lab: 'pool1' }, of(name));
  for (let nth = 0; nth < 20; nth++) go(1);
  const lines = await screen.lines();
  t.match(lines.slice(-5), [
    /^phase9.i0.pool1 {2}begins/,
    /^phase9.i1/,
    /^phase9.i2/,
    /^and 9 more$/,
    /^0 of 12 done, 12 running/,
  ]);
  t.equal(lines.filter((line) => /^0 of 12 done/.test(line)).length, 1, 'drawn over, not below one another');
});

t.test('a terminal that becomes narrower, and wide again', async (t) => {
  const { screen, go } = aNight(100, 24);
  for (const columns of [50, 30, 100]) {
    screen.resize(columns, 24);
    go(1);
  }
  const lines = await screen.lines();
  t.match(lines.slice(-3), [/^phase9.fruix-main.pool1/, /^phase11.fruix-main.pool1/, /^0 of 3 done/]);
  t.equal(lines.filter((line) => line.includes('running')).length, 1, 'nothing of the old block stays');
});

t.test('a phase: its steps scroll by, its stage and what was seen last stand below', async (t) => {
  const { screen, tell, go, progress } = onTerminal(80, 24);
  tell(runBegins);
  tell({ event: 'step-begins', step: 'boot' });
  tell(stage('firmware+kernel+services', 50));
  tell({ event: 'waiting', seen: 'connected,\n\u001b[2J no banner', waitedS: 30, budgetS: 60 });
  go(30);
  t.same(await screen.lines(), [
    '[   0.0 s] boot',
    'phase9-xcpng-boot on pool1  boot: firmware+kernel+services  60 %  30 s of 50 s',
    '  connected, \\u001b[2J no banner',
  ]);
  go(40);
  t.match((await screen.lines())[1], /140 % {2}70 s of 50 s/, 'a stage may borrow from the next');
  tell({
    event: 'refused',
    cause: { code: 'A', party: 'lab', message: 'it broke', remedy: 'Mend it.' },
    exitCode: 3,
    hints: [],
  });
  await progress.end();
  t.same(await screen.lines(), ['[   0.0 s] boot', 'it broke. Mend it.']);
});

t.test('whoever leaves at once leaves no block', async (t) => {
  const { screen, progress, go, tell } = aNight(80, 24);
  progress.leave();
  screen.write('left at once\n');
  go(5);
  t.match(await screen.lines(), [/night: /, /3 cases/, /begins/, /begins/, 'left at once']);
  tell({ event: 'note', text: 'last words' });
  t.match((await screen.lines()).slice(-2), ['left at once', /last words/], 'nor is what others print drawn over');
});

t.test('verdicts have a colour, unless none is wanted', async (t) => {
  const end = caseEnds('PASS', 1);
  for (const colours of [true, false]) {
    const { screen, tell } = onTerminal(80, 24, colours);
    tell(end, of('phase9.a.pool1'));
    t.equal(screen.written.includes('\u001b[32mPASS\u001b[39m'), colours);
    t.match(await screen.lines(), ['[   0.0 s] phase9.a.pool1: PASS (1.0 s)']);
  }
});

t.test('a wide script is as wide as it is shown', async (t) => {
  const { screen, tell, go } = onTerminal(40, 24);
  tell({ ...runBegins, scenario: '試験試験試験試験試験試験試験試験試験試験' } as typeof runBegins);
  tell(stage('kernel', 40));
  go(1);
  for (const line of await screen.lines()) t.ok(line.length < 40);
  t.equal((await screen.lines()).length, 1, 'it did not run over the edge');
});
