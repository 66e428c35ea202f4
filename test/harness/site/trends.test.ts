/** The plots as somebody uses them: by eye, without colours, by keyboard; of one case and of all of a scenario. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { buildSite } from '../../../harness/site/build-site.ts';
import { Browser, chromium } from '../../browser.ts';
import { makeRuns, NOW } from './made-runs.ts';

const program = chromium();
if (program === null) throw new Error('chromium was not found on PATH; ./setup.sh brings it');
const browser = await Browser.start(program);
const root = mkdtempSync(join(tmpdir(), 'bw-trends-'));
t.teardown(async () => {
  await browser.close();
  rmSync(root, { recursive: true, force: true });
});

const DAY_MS = 24 * 3_600_000;
const NIGHTS = 40;
makeRuns(root, 16 * NIGHTS);
// Pool 2 was away for a week.
for (const name of readdirSync(join(root, 'runs'))) {
  const path = join(root, 'runs', name);
  const { lab, startedAt } = JSON.parse(readFileSync(path, 'utf8'));
  const days = (NOW.getTime() - Date.parse(startedAt)) / DAY_MS;
  if (lab.name === 'pool2' && days > 10 && days < 17) rmSync(path);
}
const url = pathToFileURL(buildSite(root, NOW).page).href;

async function near(): Promise<void> {
  await browser.open(url);
  await browser.evaluate('document.getElementById("trends").scrollIntoView(); new Promise((r) => setTimeout(r, 500))');
}

const choose = (text: string): Promise<unknown> =>
  browser.evaluate(`(() => { const each = document.getElementById('trend');
    each.selectedIndex = [...each.options].findIndex((option) => option.textContent === ${JSON.stringify(text)});
    each.dispatchEvent(new Event('change')); })()`);
const drawn = 'document.querySelectorAll("#plots canvas").length';

t.test('plots are drawn when somebody comes near, for what is chosen', async (t) => {
  await browser.size(1280, 400);
  await browser.open(url);
  t.equal(await browser.evaluate(drawn), 0);
  await near();
  t.equal(await browser.evaluate(drawn), 4);
  const words = 'document.querySelector("#plots [role=slider]").getAttribute("aria-label")';
  const before = await browser.evaluate(words);
  t.match(before, /^Boot: power-on to session; median [\d.]+ s, last/);
  await choose('phase11-shepherd-pid1-xcpng: fruix-*.raw on pool1');
  t.not(await browser.evaluate(words), before);
  t.equal(await browser.evaluate(drawn), 4);
  t.same(browser.problems(), []);
});

t.test('all cases of a scenario beside each other: told apart by letter and dash, a gap where none ran', async (t) => {
  await near();
  await choose('phase9-xcpng-boot: all 8 cases');
  t.equal(await browser.evaluate(drawn), 3);
  const found = await browser.evaluate(`(() => {
    const items = [...document.querySelectorAll('#plots figure:first-child .legend li')];
    return { letters: items.map((each) => each.querySelector('b').textContent).join(''),
      dashes: new Set(items.map((each) => each.querySelector('line').getAttribute('stroke-dasharray'))).size,
      colours: new Set(items.map((each) => each.querySelector('line').getAttribute('stroke'))).size,
      values: items.every((each) => /^[\\d.]+ s$/.test(each.lastChild.textContent)),
      left: document.querySelector('#plots figcaption').textContent };
  })()`);
  t.match(found, { letters: 'ABCDEFG', dashes: 7, colours: 7, values: true, left: /; 1 case left out;/ });
  const gaps = await browser.evaluate(`(() => {
    const data = JSON.parse(document.getElementById('data').textContent);
    const line = (number) => plotLines.lineOf('', data.runs.filter((run) => run[2] === number), (run) => run[5]);
    const lab = (name) => data.cases.findIndex((each) => each[0] === 'phase9-xcpng-boot' && each[2] === name);
    return plotLines.columns([line(lab('pool1')), line(lab('pool2'))]).slice(1)
      .map((column) => column.filter((value) => value === null).length > 0);
  })()`);
  t.same(gaps, [false, true], 'only the lab that was away has one');
  t.same(browser.problems(), []);
});

t.test('what changed is listed and numbered; a nightly image is no event', async (t) => {
  await near();
  await choose('phase9-xcpng-boot: fruix-*.raw on pool1');
  const foot = await browser.evaluate('document.querySelector("#plots .foot").innerText');
  t.match(foot, /What changed\n+Xen Orchestra 5\.207\.2 → 5\.208\.0, \d+ Nov\n+harness 0\.1\.0 → 0\.2\.0, \d+ Nov/);
  t.match(foot, /Not marked: image changed 39 times\./);
});

t.test('on paper the plots say of what they are', async (t) => {
  await browser.look('print', 'light');
  await near();
  await choose('phase9-xcpng-boot: all 8 cases');
  t.match(await browser.evaluate('document.getElementById("h-trends").innerText'), 'phase9-xcpng-boot: all 8 cases');
  await browser.look('screen', 'light');
  t.equal(await browser.evaluate('document.getElementById("h-trends").innerText.trim()'), 'Trends');
});

t.test('by keyboard: a run is named with its figure, and opened', async (t) => {
  await near();
  await browser.evaluate('document.querySelector("#plots .plot").focus()');
  const said = 'document.querySelector("#plots .readout").innerText';
  t.equal(await browser.evaluate(said), '');
  await browser.press('End', 'End', 35);
  const last = await browser.evaluate(said);
  t.match(last, /^25 Nov \d\d:\d\d UTC: (PASS|FAIL CHECKS_FAILED); [\d.]+ s/);
  await browser.press('ArrowLeft', 'ArrowLeft', 37);
  t.match(await browser.evaluate(said), /^24 Nov/);
  const spoken = 'document.querySelector("#plots .plot").getAttribute("aria-valuetext")';
  t.match(await browser.evaluate(spoken), /^24 Nov/);
  await browser.press('ArrowRight', 'ArrowRight', 39);
  t.equal(await browser.evaluate(said), last);
  await browser.press('Home', 'Home', 36);
  t.match(await browser.evaluate(said), /^17 Oct/);
  const link = await browser.evaluate('document.querySelector("#plots .readout a").href');
  await browser.press('Enter', 'Enter', 13);
  await browser.evaluate('new Promise((r) => setTimeout(r, 500))');
  t.equal(await browser.evaluate('location.href'), link);
});

t.test('one run is not drawn as if it were three years', async (t) => {
  const dir = join(root, 'one');
  makeRuns(dir, 1);
  await browser.open(pathToFileURL(buildSite(dir, NOW).page).href);
  await browser.evaluate('document.getElementById("trends").scrollIntoView(); new Promise((r) => setTimeout(r, 500))');
  const span = await browser.evaluate(
    `(() => { const [from, to] = plot.spanOf([100]); return (to - from) / 86400; })()`,
  );
  t.equal(span, 2);
  t.same(browser.problems(), []);
});

t.test('each line stands out from the paper, light and dark (3 : 1)', async (t) => {
  for (const scheme of ['light', 'dark'] as const) {
    await browser.look('screen', scheme);
    await browser.open(url);
    const low = await browser.evaluate(`(() => {
      const light = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
        .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
      const paper = light(plotMarks.style('paper'));
      const ratio = (hex) => (Math.max(light(hex), paper) + 0.05) / (Math.min(light(hex), paper) + 0.05);
      return plotMarks.COLOURS.map((hex) => ratio(hex).toFixed(1)).filter((each) => each < 3);
    })()`);
    t.same(low, [], scheme);
  }
  await browser.look('screen', 'light');
});
