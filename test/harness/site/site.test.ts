/** The pages without a browser: what stands where, from the runs alone. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { RunRow } from '../../../harness/history/run-row.ts';
import { buildSite } from '../../../harness/site/build-site.ts';
import { lastNight, type Standing, standings } from '../../../harness/site/cases.ts';
import { compare } from '../../../harness/site/changes.ts';
import { escapeHtml, html, jsonBlock } from '../../../harness/site/html.ts';
import { makeRuns } from './made-runs.ts';

const DAY_MS = 24 * 3_600_000;

/** One letter for each night: P(ASS), F(AIL), E(RROR), I(nterrupted), S(KIP), `.` did not run. */
function nights(letters: string, more: Partial<RunRow> = {}): readonly RunRow[] {
  return [...letters].flatMap((letter, index) => {
    if (letter === '.') return [];
    const [status, party] = (
      {
        P: ['PASS', null],
        F: ['FAIL', 'image'],
        E: ['ERROR', 'lab'],
        I: ['ERROR', 'nobody'],
        S: ['SKIP', null],
      } as const
    )[letter] ?? ['PASS', null];
    return {
      ...{
        id: `${more.image ?? 'i'}-${index}`,
        startedMs: index * DAY_MS,
        scenario: 's',
        bootMode: 'm',
        lab: 'l',
        labKind: 'xo',
      },
      ...{ status, party, code: party && 'CODE', message: '', failed: [], unobserved: [], image: 'i' },
      ...{
        imageSha256: `sha-${index}`,
        closure: null,
        scenarioSha256: 'sc',
        harness: '1',
        xo: '5',
        host: 'h',
        firmware: 'bios',
      },
      ...{
        boots: 1,
        budgetScale: 1,
        reference: false,
        seconds: 1,
        exitCode: 0,
        bootS: 1,
        stages: {},
        bakedPrefixes: null,
      },
      ...{ leaked: 0, night: `n${index}`, known: null, workdir: '/w', repeat: '', lastFrame: null },
      ...more,
    };
  });
}

function stands(letters: string, more: Partial<RunRow> = {}) {
  const rows = [...nights('P'.repeat(letters.length), { image: 'other' }), ...nights(letters, more)];
  rows.sort((a, b) => a.startedMs - b.startedMs);
  return standings(rows, lastNight(rows)).find(({ image }) => image === 'i');
}

t.test('how a case stands follows from its runs', async (t) => {
  const table: readonly (readonly [string, Standing | undefined, string])[] = [
    ['PPP', 'passing', 'as before'],
    ['P', 'passing', 'the first time'],
    ['PPF', 'newly failing', 'was PASS'],
    ['PPE', 'newly failing', 'ERROR is red, too'],
    ['F', 'newly failing', 'the first time'],
    ['PFF', 'still failing', 'was red'],
    ['PEF', 'still failing', 'another red'],
    ['PFP', 'fixed', 'was red'],
    ['PF.', 'not run', 'missing in this night'],
    ['F.P', 'fixed', 'over a night without it'],
    ['P.F', 'newly failing', 'over a night without it'],
    ['PFI', 'not run', 'stopped by a person: says nothing'],
    ['PIF', 'newly failing', 'what was stopped is passed over'],
    ['PSP', 'passing', 'what was skipped is passed over'],
    ['SS', undefined, 'never decided'],
    [`P${'.'.repeat(16)}`, undefined, 'not for a fortnight: history'],
  ];
  for (const [letters, standing, why] of table) t.equal(stands(letters)?.standing, standing, `${letters}: ${why}`);
});

t.test('since when, and how often', async (t) => {
  t.match(stands('PFEF'), { lastPass: { id: 'i-0' }, redRuns: 3, last: { id: 'i-3' } });
  t.match(stands('FF'), { lastPass: null, redRuns: 2 });
  t.match(stands('PPP'), { redRuns: 0 });
});

t.test('flaky: the same was asked, and the outcome turned twice', async (t) => {
  const same = { imageSha256: 'one' };
  t.same(stands('PFP', same)?.flaky, { passed: 2, of: 3 });
  t.same(stands('PEPPPPPPPPPPP', same)?.flaky, null, 'long ago');
  t.equal(stands('PFP')?.flaky, null, 'another image each night');
  t.equal(stands('PPF', same)?.flaky, null, 'turned once: it broke');
  t.equal(stands('PFP', { imageSha256: null })?.flaky, null, 'nothing is known of the image');
});

t.test('several attempts of one night: the last counts, and they are one night', async (t) => {
  const night = { night: 'n1' };
  const [pass] = nights('P');
  const rows = [...(pass ? [pass] : []), ...nights('.EP', night)];
  t.match(standings(rows, lastNight(rows)), [{ standing: 'passing', attempts: 2, lastPass: { id: 'i-0' } }]);
});

t.test('without a night by name the last 24 hours are one', async (t) => {
  const rows = nights('PPP', { night: null });
  t.same(lastNight(rows), { name: null, rows: rows.slice(1) });
  t.same(lastNight([]), { name: null, rows: [] });
});

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
  const first = buildSite(reports);
  t.match(first, { runs: 40, pagesWritten: 40, skipped: [{ file: 'notes.txt' }] });
  const before = ['index.json', 'index.html'].map((name) => readFileSync(join(reports, name), 'utf8'));
  for (const name of ['index.json', 'index.html', 'site.json']) rmSync(join(reports, name));
  t.equal(buildSite(reports).pagesWritten, 40, 'nothing is known of the pages that are there');
  t.same(
    ['index.json', 'index.html'].map((name) => readFileSync(join(reports, name), 'utf8')),
    before,
  );
  t.equal(buildSite(reports).pagesWritten, 0);
  const { runs, skipped } = JSON.parse(before[0] ?? '');
  t.same([runs.length, skipped.length], [40, 1]);
  t.equal(readdirSync(join(reports, 'run')).length, 40);
});

t.test('machines are joined by copying files; a run that is gone takes its page with it', async (t) => {
  const [reports, other] = [folder(t), folder(t)];
  makeRuns(reports, 5);
  makeRuns(other, 6, { change: (record) => (record.runId = `b${record.runId}`) });
  buildSite(reports);
  for (const name of readdirSync(join(other, 'runs'))) {
    writeFileSync(join(reports, 'runs', name), readFileSync(join(other, 'runs', name)));
  }
  t.equal(buildSite(reports).runs, 11);
  const [gone = ''] = readdirSync(join(reports, 'runs'));
  rmSync(join(reports, 'runs', gone));
  t.equal(buildSite(reports).runs, 10);
  t.notOk(existsSync(join(reports, 'run', gone.replace('.json', '.html'))));
});

t.test('no run and one run are pages, too', async (t) => {
  const reports = folder(t);
  t.match(buildSite(join(reports, 'new')), { runs: 0, red: 0 });
  t.match(readFileSync(join(reports, 'new/index.html'), 'utf8'), /No runs yet/);
  makeRuns(reports, 1);
  t.match(buildSite(reports), { runs: 1, red: 0 });
  t.match(readFileSync(join(reports, 'index.html'), 'utf8'), /Nothing is red\./);
});

t.test('what the page holds of a run for its script is some two hundred bytes', async (t) => {
  const reports = folder(t);
  makeRuns(reports, 60);
  buildSite(reports);
  const data = /id="data">([^<]*)</.exec(readFileSync(join(reports, 'index.html'), 'utf8'))?.[1] ?? '';
  t.equal(JSON.parse(data).runs.length, 60);
  const each = data.length / 60;
  t.ok(each > 100 && each < 300, `${each.toFixed(0)} bytes`);
});
