/** The console's pictures tell a story: whose they are, in order, when, what was read; and what is missing is said. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { runRow } from '../../../harness/history/run-row.ts';
import { buildSite } from '../../../harness/site/build-site.ts';
import { film } from '../../../harness/site/film.ts';
import { makeRuns, NOW } from './made-runs.ts';

const at = (s: number, milestone: string, picture: string | null, more: object = {}): object => ({
  ...{ s, milestone, picture, size: [720, 400], why: '', read: null },
  ...more,
});

function shown(console: object, present: readonly string[]): string {
  const record = {
    runId: 'r',
    scenario: 's',
    status: 'FAIL',
    startedAt: '2026-04-01',
    seconds: 1,
    history: { console },
  };
  const row = runRow(record);
  if ('why' in row) throw new Error(row.why);
  return film(row, record, new Set(present)).text.replaceAll('\n', ' ');
}

/** Headings, and what each picture is said to be. */
const story = (page: string): readonly string[] =>
  [...page.matchAll(/<h3>(.*?)<\/h3>|<li.*?<p>(.*?)<\/p>/g)].map(([, title, caption]) =>
    (title ?? caption ?? '')
      .replace(/<[^>]*>/g, '')
      .replace(/\s+/g, ' ')
      .trim(),
  );

t.test('by guest and boot, with times; one picture for as long as nothing changed', async (t) => {
  const moments = [
    at(3.2, 'power-on', '001-power-on.png'),
    at(9.7, 'change', '002-change.png', { read: 'Kernel panic - not\nsyncing' }),
    at(10.4, 'end', '002-change.png'),
    at(15.8, 'control-power-on', '003-control-power-on.png'),
    at(29.4, 'control-answered', '004-control-answered.png'),
    at(33.3, 'power-on', '005-power-on.png'),
    at(38.5, 'end', '006-end.png', { size: [1280, 800] }),
  ];
  const names = moments.map((moment) => (moment as { picture: string }).picture);
  const page = shown({ frames: names, moments }, names);
  t.same(story(page), [
    ...['The image', '3.2 s powered on', '9.7 s changed 10.4 s last look'],
    ...['The control image', '15.8 s powered on', '29.4 s it answered'],
    ...['The image, once more', '33.3 s powered on', '38.5 s last look'],
  ]);
  t.match(page, 'alt="Console of the image: 9.7 s changed, 10.4 s last look: Kernel panic - not syncing"');
  t.match(page, 'alt="Console of the control image: 15.8 s powered on"');
  t.match(page, /href="\.\.\/runs\/r\.console\/006-end\.png".*width="1280" height="800"/);
  t.equal(page.match(/class="last"/g)?.length, 2, 'the last of each start of the image is large');
});

t.test('a second boot, a console that was away, and a picture that was not copied along', async (t) => {
  const moments = [
    at(3, 'power-on', '001-power-on.png'),
    at(20, 'answered', '002-answered.png'),
    at(61.3, 'reboot', '002-answered.png'),
    at(63.8, 'no screen', null, { size: null, why: 'it was <closed>' }),
    at(70, 'change', null, { why: '40 are kept already' }),
  ];
  const page = shown({ frames: [], moments }, ['001-power-on.png']);
  t.same(story(page), [
    ...['The image', '3.0 s powered on', '20.0 s it answered'],
    ...['The image, boot 2', '61.3 s reboot asked for', '63.8 s no screen', '70.0 s changed'],
  ]);
  t.match(page, 'No picture: it was &lt;closed&gt;');
  t.match(page, 'No picture: 40 are kept already');
  t.equal(page.match(/<code>002-answered\.png<\/code> is not in this folder/g)?.length, 2);
  t.equal(page.match(/<img/g)?.length, 1);
});

t.test('a record of an older version has names of pictures alone, and a strange one is no harm', async (t) => {
  const names = ['001-power-on.png', '002-end.png'];
  t.same(story(shown({ frames: names }, names)), ['001 powered on', '002 last look']);
  for (const each of [null, 7, 'x', [], [[]], { picture: '../../x.png', size: [0, 'x'] }]) {
    t.notMatch(shown({ frames: each, moments: [each, each] }, ['../../x.png']), /<img/);
  }
});

t.test('pictures that went, or come later, change the page of their run', async (t) => {
  const reports = mkdtempSync(join(tmpdir(), 'bw-film-'));
  t.teardown(() => rmSync(reports, { recursive: true }));
  makeRuns(reports, 16, { frames: 2 });
  buildSite(reports, NOW);
  const folder = readdirSync(join(reports, 'runs')).find((name) => name.endsWith('.console')) ?? '';
  rmSync(join(reports, 'runs', folder), { recursive: true });
  t.equal(buildSite(reports, NOW).pagesWritten, 1);
  const page = (): string => readFileSync(join(reports, 'run', folder.replace('.console', '.html')), 'utf8');
  t.match(page(), 'is not in this folder');
  for (const name of readdirSync(join(reports, 'runs'))) {
    if (name.endsWith('.console')) rmSync(join(reports, 'runs', name), { recursive: true });
  }
  t.match(readFileSync(join(reports, 'index.html'), 'utf8'), '<img');
  buildSite(reports, NOW);
  t.notMatch(readFileSync(join(reports, 'index.html'), 'utf8'), '<img', 'nor has a card a picture that is not there');
});
