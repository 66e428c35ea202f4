/** The pages without a browser: what stands where, from the runs alone. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { buildSite } from '../../../harness/site/build-site.ts';
import { compare } from '../../../harness/site/changes.ts';
import { escapeHtml, html, jsonBlock } from '../../../harness/site/html.ts';
import { makeRuns, NOW } from './made-runs.ts';
import { nights } from './nights.ts';

t.test('what changed: named with both values; what is known of one side only is neither', async (t) => {
  const [before, after] = nights('PF', { closure: '/frx/store/0123456789abcdefghij-fruix-system' });
  if (before === undefined || after === undefined) throw new Error('two rows were made');
  const { changed, same, unknown } = compare(before, { ...after, harness: '2', host: null });
  t.same(changed, [
    { what: 'image', from: 'sha-0', to: 'sha-1' },
    { what: 'harness', from: '1', to: '2' },
  ]);
  t.same(unknown, ['host']);
  t.ok(same.includes('closure') && same.includes('scenario') && !same.includes('host'));
});

t.test('nothing that is put into a page is anything but text', async (t) => {
  const bad = `</script><img src=x onerror="a('b')">&\u0000\u001b[31m\u202egnp`;
  const escaped = escapeHtml(bad);
  t.notMatch(escaped, /[<>"']/);
  t.match(escaped, '\\u0000\\u001b[31m\\u202egnp');
  t.equal(
    html`<p title="${bad}">${bad}${null}${false}${0}${[html`<b>${'<'}</b>`]}</p>`.text,
    `<p title="${escaped}">${escaped}0<b>&lt;</b></p>`,
  );
  t.notMatch(jsonBlock([bad, '<!--', '\u2028']).text, /[<>&\u2028]/);
  t.same(JSON.parse(jsonBlock([bad]).text), [bad]);
});

function folder(t: Test): string {
  const root = mkdtempSync(join(tmpdir(), 'bw-site-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  return root;
}

t.test('the index is derived: made again it is the same, and pages that are as they were stay', async (t) => {
  const reports = folder(t);
  makeRuns(reports, 40);
  writeFileSync(join(reports, 'runs/notes.txt'), '');
  const first = buildSite(reports, NOW);
  t.match(first, { runs: 40, pagesWritten: 40, skipped: [{ file: 'notes.txt' }] });
  const before = ['index.json', 'index.html'].map((name) => readFileSync(join(reports, name), 'utf8'));
  for (const name of ['index.json', 'index.html', 'site.json']) rmSync(join(reports, name));
  t.equal(buildSite(reports, NOW).pagesWritten, 40, 'nothing is known of the pages that are there');
  t.same(
    ['index.json', 'index.html'].map((name) => readFileSync(join(reports, name), 'utf8')),
    before,
  );
  t.equal(buildSite(reports, NOW).pagesWritten, 0);
  const { runs, skipped } = JSON.parse(before[0] ?? '');
  t.same([runs.length, skipped.length], [40, 1]);
  t.equal(readdirSync(join(reports, 'run')).length, 40);
});

t.test('machines are joined by copying files; a run that is gone takes its page with it', async (t) => {
  const [reports, other] = [folder(t), folder(t)];
  makeRuns(reports, 5);
  makeRuns(other, 6, { change: (record) => (record.runId = `b${record.runId}`) });
  buildSite(reports, NOW);
  for (const name of readdirSync(join(other, 'runs'))) {
    writeFileSync(join(reports, 'runs', name), readFileSync(join(other, 'runs', name)));
  }
  t.equal(buildSite(reports, NOW).runs, 11);
  const [gone = ''] = readdirSync(join(reports, 'runs'));
  rmSync(join(reports, 'runs', gone));
  t.equal(buildSite(reports, NOW).runs, 10);
  t.notOk(existsSync(join(reports, 'run', gone.replace('.json', '.html'))));
});

t.test('no run and one run are pages, too', async (t) => {
  const reports = folder(t);
  t.match(buildSite(join(reports, 'new'), NOW), { runs: 0, red: 0 });
  t.match(readFileSync(join(reports, 'new/index.html'), 'utf8'), /No runs yet/);
  makeRuns(reports, 1);
  t.match(buildSite(reports, NOW), { runs: 1, red: 0 });
  t.match(readFileSync(join(reports, 'index.html'), 'utf8'), /Nothing is red\./);
});

t.test('what the page holds of a run for its script is some two hundred bytes', async (t) => {
  const reports = folder(t);
  makeRuns(reports, 60);
  buildSite(reports, NOW);
  const data = /id="data">([^<]*)</.exec(readFileSync(join(reports, 'index.html'), 'utf8'))?.[1] ?? '';
  t.equal(JSON.parse(data).runs.length, 60);
  const each = data.length / 60;
  t.ok(each > 100 && each < 300, `${each.toFixed(0)} bytes`);
});

t.test('a clock that is ahead: the night before it is shown, and the run is named', async (t) => {
  const reports = folder(t);
  const far = '2031-01-01T00:00:00.000Z';
  makeRuns(reports, 32, {
    change: (record, index) => index === 31 && Object.assign(record, { startedAt: far, status: 'PASS' }),
  });
  t.match(buildSite(reports, NOW), { runs: 32, red: 3 });
  const page = readFileSync(join(reports, 'index.html'), 'utf8');
  t.match(page, 'Night of 25 Nov 2026<');
  t.match(page, '1 run is of a wrong clock and left out of the night');
  t.match(page.slice(page.indexOf('id="misdated"')), '1 Jan 2031, 00:00:00 UTC');
  const data = /id="data">([^<]*)</.exec(page)?.[1] ?? '';
  t.equal(JSON.parse(data).runs.length, 31, 'no plot goes to 2031');
});

t.test('a failure that is known comes last, and turns no tab red', async (t) => {
  const reports = folder(t);
  const known = { reason: 'moved', link: '', expires: '2999-12-31' };
  const red = (page: string): readonly string[] => [...page.matchAll(/<article.*?<h3>.*?<\/article>/gs)].map(String);
  makeRuns(reports, 32, { change: ({ history }, index) => index === 16 + 2 && Object.assign(history, { known }) });
  buildSite(reports, NOW);
  const page = readFileSync(join(reports, 'index.html'), 'utf8');
  t.match(page, '<title>2 red, 1 known · Bootwitness</title>');
  t.match(page, '3 cases are red, 3 newly, 1 of a known failure.');
  t.same(
    red(page).map((card) => card.includes('known: moved')),
    [false, false, true],
  );
  const other = folder(t);
  makeRuns(other, 32, { change: ({ history }) => Object.assign(history, { known }) });
  buildSite(other, NOW);
  t.match(readFileSync(join(other, 'index.html'), 'utf8'), '<title>3 known · Bootwitness</title>');
});

t.test('a record that cannot be read is said where the night is, since it may be of that night', async (t) => {
  const reports = folder(t);
  makeRuns(reports, 16);
  const glance = (): string => {
    buildSite(reports, NOW);
    return readFileSync(join(reports, 'index.html'), 'utf8').split('<ul class="tiles">')[0] ?? '';
  };
  writeFileSync(join(reports, 'runs/.r-1.77.part'), '{');
  t.notMatch(glance(), 'could not be taken', 'one that is being written is no news');
  writeFileSync(join(reports, 'runs/newer.json'), '{"schema": 99, "history": {"schema": 1}}');
  t.match(glance(), '1 file in <code>runs/</code> could not be taken for a run');
});
