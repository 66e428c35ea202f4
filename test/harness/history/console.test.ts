/** What is kept of the console: its pictures, when each was shown, what was read off it, its last words. */
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { keepRun } from '../../../harness/history/keep-run.ts';
import { runRow } from '../../../harness/history/run-row.ts';
import { aReport, PASS } from './a-report.ts';
import { folders, PNG, read } from './folders.ts';

const name = (n: number, word = 'change'): string => `${String(n).padStart(3, '0')}-${word}.png`;

t.test('pictures of the console: PNGs that are files, bounded, the first and the last among them', async (t) => {
  const { reports, runs, workdir } = folders(t);
  for (let n = 1; n <= 100; n++) writeFileSync(join(workdir, 'console', name(n)), PNG);
  writeFileSync(join(workdir, 'console/000-no.png'), '<svg onload=alert(1)>');
  symlinkSync('/etc/passwd', join(workdir, 'console/101-link.png'));
  writeFileSync(join(workdir, 'console/050-<x>.png'), PNG);
  writeFileSync(join(workdir, 'console/serial.txt'), `${'early\n'.repeat(3_000)}mountroot>`);
  writeFileSync(join(workdir, 'console/screen.txt'), 'on the screen');
  const { console } = read(keepRun(reports, aReport(PASS, { workdir }))).history;
  t.same(readdirSync(join(runs, 'r-1.console')).sort(), console.frames);
  t.ok(console.frames.length > 30 && console.frames.length <= 40, `${console.frames.length} frames`);
  t.notMatch(console.frames.join(), /no|link|</);
  t.equal(console.framesLeftOut, 102 - console.frames.length);
  t.match(console.text, { source: 'serial', end: /^… early\n(?:early\n)+mountroot>$/ });
  t.ok(console.text.end.length <= 6_002);
});

t.test('where there is no room for all, the last, the first and the milestones come before changes', async (t) => {
  const { reports, workdir } = folders(t);
  const big = Buffer.concat([PNG, Buffer.alloc(700_000)]);
  for (let n = 1; n <= 20; n++) {
    writeFileSync(join(workdir, 'console', name(n, n === 12 ? 'answered' : n === 20 ? 'end' : 'change')), big);
  }
  const { frames, framesLeftOut } = read(keepRun(reports, aReport(PASS, { workdir }))).history.console;
  t.same([frames.length, framesLeftOut], [11, 9]);
  for (const kept of [name(1), name(12, 'answered'), name(20, 'end')]) t.ok(frames.includes(kept), kept);
  t.same(frames, [...frames].sort(), 'in their order');
});

t.test('when each picture was shown, what was read off it, and where there was none', async (t) => {
  const { reports, workdir } = folders(t);
  let sequence = 0;
  const line = (ms: number, what: string, data: unknown): string =>
    JSON.stringify({ sequence: ++sequence, at: '', sinceStartMs: ms, kind: 'console', name: what, data });
  const file = (n: number, word: string): string => `console/${name(n, word)}`;
  const size = { width: 720, height: 400 };
  writeFileSync(
    join(workdir, 'evidence.ndjson'),
    [
      line(3_246, 'screenshot', { milestone: 'power-on', why: 'milestone', ...size, file: file(1, 'power-on') }),
      line(11_031, 'screen read', { waiting: true, picture: file(1, 'power-on'), text: 'SeaBIOS\n', ms: 3 }),
      line(16_926, 'screenshot', { milestone: 'answered', ...size, file: file(2, 'answered') }),
      line(61_330, 'screenshot', { milestone: 'reboot', ...size, file: file(2, 'answered'), sameAsBefore: true }),
      line(63_767, 'no screen', { why: 'it was closed' }),
      line(64_000, 'screenshot', { milestone: 'change', ...size, notKept: '40 are kept already' }),
      line(70_000, 'screen read', { waiting: true, picture: null, text: 'of nobody' }),
      '{"sequence":9,"kind":"console","name":"screens',
    ].join('\n'),
  );
  const { moments } = read(keepRun(reports, aReport(PASS, { workdir }))).history.console;
  const of = (s: number, milestone: string, more: object): object => ({
    ...{ s, milestone, picture: null, size: [720, 400], why: '', read: null },
    ...more,
  });
  t.same(moments, [
    of(3.2, 'power-on', { picture: name(1, 'power-on'), read: 'SeaBIOS' }),
    of(16.9, 'answered', { picture: name(2, 'answered') }),
    of(61.3, 'reboot', { picture: name(2, 'answered') }),
    of(63.8, 'no screen', { size: null, why: 'it was closed' }),
    of(64, 'change', { why: '40 are kept already' }),
  ]);
});

t.test('the control image has a console of its own, and is never taken for the image', async (t) => {
  const { reports, workdir } = folders(t);
  for (const each of [name(1, 'power-on'), name(2, 'end'), name(3, 'control-power-on'), name(4, 'control-answered')]) {
    writeFileSync(join(workdir, 'console', each), PNG);
  }
  writeFileSync(join(workdir, 'console/control-screen.txt'), 'login:');
  const record = read(keepRun(reports, aReport(PASS, { workdir })));
  t.equal(record.history.console.text, null, 'what the control image showed are not its last words');
  t.match(runRow(record), { lastFrame: name(2, 'end') });
});
