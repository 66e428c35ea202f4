/** The pages as somebody sees them: in a Chromium without a network, at a desk, on a phone, by keyboard, on paper. */
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
const root = mkdtempSync(join(tmpdir(), 'bw-site-'));
t.teardown(async () => {
  await browser.close();
  rmSync(root, { recursive: true, force: true });
});

const reports = (name: string): string => join(root, name);
const url = (...path: readonly string[]): string => pathToFileURL(join(root, ...path)).href;
makeRuns(reports('many'), 48, { frames: 3 });
makeRuns(reports('one'), 1);
for (const name of ['many', 'one', 'none']) buildSite(reports(name), NOW);
const { runs } = JSON.parse(readFileSync(join(root, 'many/index.json'), 'utf8'));
const red: string = runs.findLast((run: { status: string }) => run.status === 'FAIL').id;
const PAGES = [url('many/index.html'), url('one/index.html'), url('none/index.html'), url('many/run', `${red}.html`)];

t.test('it asks for nothing but its own files, breaks no rule of its policy, and says no error', async (t) => {
  for (const page of PAGES) {
    await browser.open(page);
    await browser.evaluate(
      'document.getElementById("trends")?.scrollIntoView(); new Promise((r) => setTimeout(r, 300))',
    );
    t.same(browser.problems(), [], page);
    const own = pathToFileURL(root).href;
    t.same(
      browser.requests().filter((asked) => !asked.startsWith(own) && !asked.startsWith('data:')),
      [],
    );
  }
  await browser.evaluate('fetch("https://example.org/").catch(() => 0)');
  await browser.evaluate(
    'Object.assign(new Image(), { src: "https://example.org/a.png" }); new Promise((r) => setTimeout(r, 100))',
  );
  t.match(browser.problems().join('\n'), /img-src|default-src/, 'and the policy was asked: both of these are refused');
});

t.test('a guest, or a file of another machine, puts nothing into a page but text', async (t) => {
  const payloads = [
    `<img src=x onerror="window.pwned=1">`,
    `</script><script>window.pwned=1</script>`,
    `"><svg onload="window.pwned=1">`,
    `' onmouseover='window.pwned=1' x='`,
    `javascript:window.pwned=1`,
    `<!--<script>window.pwned=1`,
    `{{constructor.constructor('window.pwned=1')()}}`,
  ];
  const dir = reports('evil');
  const KEPT = new Set(['status', 'startedAt', 'endedAt', 'outcome', 'kind', 'stage', 'guest', 'evidence', 'runId']);
  const poison = (value: unknown, payload: string): unknown => {
    if (typeof value === 'string') return payload;
    if (Array.isArray(value)) return value.map((each) => poison(each, payload));
    if (typeof value !== 'object' || value === null) return value;
    const pairs = Object.entries(value).map(([key, each]) => {
      if (key === 'evidence' && typeof each === 'object') return [key, poison(each, payload)] as const;
      return [key, KEPT.has(key) && typeof each === 'string' ? each : poison(each, payload)] as const;
    });
    return Object.fromEntries(pairs);
  };
  makeRuns(dir, payloads.length * 2, {
    change: (record, index) => {
      const payload = payloads[index % payloads.length] ?? '';
      Object.assign(record, poison(record, payload));
      record.status = index % 2 === 0 ? 'FAIL' : 'PASS';
      record.verdict.cause = { code: payload, party: payload, message: payload, remedy: payload, causes: [payload] };
      record.history.known = { reason: payload, link: payload, expires: payload };
      for (const stage of record.result.timeline) stage.stage = payload;
      record.history.evidence['20'] = {
        kind: payload,
        name: payload,
        at: payload,
        facts: { [payload]: payload },
        unseen: payload,
      };
    },
  });
  buildSite(dir, NOW);
  const pages = ['index.html', ...readdirSync(join(dir, 'run')).map((name) => `run/${name}`)];
  t.equal(pages.length, 15);
  for (const page of pages) {
    await browser.open(url('evil', page));
    await browser.evaluate('document.querySelectorAll("details").forEach((each) => { each.open = true })');
    await browser.evaluate(
      'document.getElementById("trends")?.scrollIntoView(); new Promise((r) => setTimeout(r, 60))',
    );
    const found = await browser.evaluate(`({
      pwned: 'pwned' in window,
      handlers: [...document.querySelectorAll('*')].flatMap((each) => [...each.attributes])
        .filter(({ name }) => /^on/.test(name)).length,
      scripts: document.querySelectorAll('script').length,
      links: [...document.querySelectorAll('[href],[src]')].map((each) => each.href?.baseVal ?? each.href ?? each.src)
        .filter((each) => !/^(file:|data:|run\\/[\\w-]+[.]html$)/.test(each)),
    })`);
    t.same(found, { pwned: false, handlers: 0, scripts: page === 'index.html' ? 9 : 0, links: [] }, page);
    t.same(browser.problems(), [], 'and the policy had nothing to refuse');
    t.match(await browser.evaluate('document.body.innerText'), 'window.pwned', 'it is shown as text');
  }
});

t.test('no page is wider than a phone of 320 pixels, or than a desk', async (t) => {
  for (const width of [320, 390, 1280]) {
    await browser.size(width, 800);
    for (const page of PAGES) {
      await browser.open(page);
      await browser.evaluate(
        'document.getElementById("trends")?.scrollIntoView(); new Promise((r) => setTimeout(r, 200))',
      );
      const wide = await browser.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      t.equal(wide, 0, `${width}: ${page}`);
    }
  }
  await browser.size(1280, 900);
});

/** Contrast of each text with what is behind it, by WCAG 2's formula. */
const CONTRAST = `(() => {
  const rgba = (css) => { const [r, g, b, a = 1] = css.match(/[\\d.]+/g).map(Number); return [r, g, b, a * 255]; };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (each) => { 
    for (let at = each; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const each = node.parentElement;
    const shown = !each.closest('svg, script, noscript, option') && each.getClientRects().length > 0;
    if (node.data.trim() === '' || !shown) continue;
    const [a, b] = [light(rgba(getComputedStyle(each).color)), light(behind(each))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push(ratio.toFixed(2) + ' ' + node.data.trim().slice(0, 40));
  }
  return low;
})()`;

t.test('text stands out from what is behind it, in light, in dark and on paper', async (t) => {
  for (const [media, scheme] of [
    ['screen', 'light'],
    ['screen', 'dark'],
    ['print', 'dark'],
  ] as const) {
    await browser.look(media, scheme);
    for (const page of PAGES) {
      await browser.open(page);
      await browser.evaluate(
        'document.getElementById("trends")?.scrollIntoView(); new Promise((r) => setTimeout(r, 300))',
      );
      t.same(await browser.evaluate(CONTRAST), [], `${media} ${scheme}: ${page}`);
    }
    const paper = await browser.evaluate('getComputedStyle(document.body).backgroundColor');
    const expected =
      media === 'print' ? 'rgb(255, 255, 255)' : scheme === 'dark' ? 'rgb(20, 23, 27)' : 'rgb(251, 251, 249)';
    t.equal(paper, expected);
  }
  await browser.look('screen', 'light');
  await browser.open(PAGES[0] ?? '');
  await browser.evaluate('document.body.style.color = "#999"');
  t.not((await browser.evaluate(CONTRAST)).length, 0, 'a pale text is found');
});

t.test(
  'headings in order, landmarks, names for all that can be used, pictures with words and drawn late',
  async (t) => {
    for (const page of PAGES) {
      await browser.open(page);
      const found = await browser.evaluate(`({
      landmarks: ['header', 'main'].map((name) => document.querySelectorAll('body > ' + name).length),
      h1: document.querySelectorAll('h1').length,
      skips: [...document.querySelectorAll('h1,h2,h3,h4')].map((each) => Number(each.tagName[1]))
        .filter((level, index, all) => index > 0 && level > all[index - 1] + 1).length,
      unnamed: [...document.querySelectorAll('nav, section, input, select, [role]')]
        .filter((each) => !each.getAttribute('aria-label') && !each.labels?.length
          && !document.getElementById(each.getAttribute('aria-labelledby') ?? '')).length,
      eager: [...document.querySelectorAll('img')].filter((each) => each.loading !== 'lazy' || !each.alt).length,
      twice: [...document.querySelectorAll('[id]')].map(({ id }) => id)
        .filter((id, index, all) => all.indexOf(id) !== index),
      dead: [...document.querySelectorAll('a[href^="#"]')]
        .filter((each) => !document.querySelector(each.getAttribute('href'))).length,
      lang: document.documentElement.lang,
    })`);
      const none = page.includes('/none/');
      t.same(
        found,
        { landmarks: [1, 1], h1: 1, skips: 0, unnamed: 0, eager: 0, twice: [], dead: none ? 3 : 0, lang: 'en' },
        page,
      );
    }
  },
);

t.test('by keyboard: every stop is seen, search finds, and a run is opened', async (t) => {
  await browser.open(PAGES[0] ?? '');
  const stops: string[] = [];
  for (let n = 0; n < 25; n++) {
    await browser.press('Tab', 'Tab', 9);
    const [name, seen] =
      await browser.evaluate(`(() => { const at = document.activeElement; const style = getComputedStyle(at);
      const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
      return [at.textContent.trim().slice(0, 20), seen && at.matches(':focus-visible')]; })()`);
    stops.push(name);
    t.equal(seen, true, `${n}: ${name}`);
  }
  t.same(stops.slice(0, 2), ['To the content', 'Bootwitness']);
  await browser.evaluate('document.getElementById("words").focus()');
  await browser.send('Input.insertText', { text: 'phase11 checks_failed' });
  const rows = 'document.querySelectorAll("#rows tr").length';
  const found = await browser.evaluate(rows);
  t.ok(found > 0 && found < 48, `${found} runs`);
  t.match(await browser.evaluate('document.getElementById("found").textContent'), `${found} of 48`);
  await browser.send('Input.insertText', { text: ' no-such-run' });
  t.equal(await browser.evaluate(rows), 0);
  await browser.evaluate('document.querySelector(".card h3 a").focus()');
  await browser.press('Enter', 'Enter', 13);
  await browser.evaluate('new Promise((r) => setTimeout(r, 500))');
  t.match(await browser.evaluate('location.pathname'), /\/run\/[0-9a-f-]+\.html$/);
});
