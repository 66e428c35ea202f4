/**
 * What surrounds each page: head, policy, landmarks. The policy lets the page run and show what came with it, and ask
 * nobody for anything, whatever a guest may have smuggled into a text.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Html, html, jsonBlock } from './html.ts';

const read = (name: string): string => readFileSync(new URL(`browser/${name}`, import.meta.url), 'utf8');
const library = (name: string): string =>
  readFileSync(createRequire(import.meta.url).resolve(`uplot/dist/${name}`), 'utf8');

/** In the order in which they run. */
const OWN_SCRIPTS = [
  'shared.js',
  'runs-table.js',
  'plot-lines.js',
  'plot-marks.js',
  'plot.js',
  'trends.js',
  'start.js',
];

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** In the folder itself, whether it is served or opened as a file. */
const OWN_FOLDER = "'self' file:";

/** Style, scripts and what identifies them; read once for all pages of a build. */
export interface Assets {
  readonly style: string;
  /** Name of the style sheet that the pages of runs share; changes with its content. */
  readonly styleName: string;
  readonly scripts: readonly string[];
}

export function readAssets(): Assets {
  const style = `${library('uPlot.min.css')}\n${read('style.css')}`;
  const styleName = `${createHash('sha256').update(style).digest('hex').slice(0, 16)}.css`;
  return { style, styleName, scripts: [library('uPlot.iife.min.js'), ...OWN_SCRIPTS.map(read)] };
}

/** A dot in the tab; part of the page, so that nothing is asked for. */
const icon = (colour: string): string =>
  `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'>
<circle cx='4' cy='4' r='4' fill='%23${colour}'/></svg>`;

/** Whether somebody is needed. */
export type Light = 'green' | 'amber' | 'red' | 'grey';
const COLOURS: Readonly<Record<Light, string>> = { green: '1f7a4d', amber: 'b8860b', red: 'b3261e', grey: '7d8590' };

interface Frame {
  readonly title: string;
  readonly colour: string;
  readonly policy: readonly string[];
  readonly style: Html;
  readonly nav: Html;
  readonly home: string;
  readonly main: Html;
  readonly end: Html;
}

function frame({ title, colour, policy, style, nav, home, main, end }: Frame): string {
  const all = ["default-src 'none'", ...policy, `img-src ${OWN_FOLDER} data:`, "base-uri 'none'", "form-action 'none'"];
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${all.join('; ')}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer"><title>${title}</title><link rel="icon"
 href="${icon(colour)}">${style}</head><body>
<a class="skip" href="#main">To the content</a>
<header class="top"><a class="name" href="${home}">Bootwitness</a>${nav}</header>
<main id="main">${main}</main>${end}</body></html>
`.text;
}

/** A part of a page that its head leads to. */
export type Section = readonly [id: string, name: string];

const navTo = (sections: readonly Section[]): Html =>
  html`<nav aria-label="Sections">${sections.map(([id, name]) => html`<a href="#${id}">${name}</a> `)}</nav>`;

export interface FirstPage {
  readonly title: string;
  readonly light: Light;
  readonly main: Html;
  /** For its script. */
  readonly data: unknown;
}

/** One file that holds all it needs but pictures. */
export function firstPage(assets: Assets, { title, light, main, data }: FirstPage): string {
  const sections: readonly Section[] = [
    ['cases', 'Cases'],
    ['trends', 'Trends'],
    ['runs', 'Runs'],
  ];
  const scripts = assets.scripts.map((script) => new Html(`<script>${script}</script>\n`));
  return frame({
    ...{ title, colour: COLOURS[light] },
    policy: [`script-src ${assets.scripts.map(sha256).join(' ')}`, `style-src ${sha256(assets.style)}`],
    style: new Html(`<style>${assets.style}</style>`),
    nav: navTo(sections),
    ...{ home: 'index.html', main },
    end: html`<script type="application/json" id="data">${jsonBlock(data)}</script>
${scripts}`,
  });
}

/** A page without any script. */
export function runFrame(
  assets: Assets,
  { title, light, main, sections }: Omit<FirstPage, 'data'> & { readonly sections: readonly Section[] },
): string {
  return frame({
    ...{ title, colour: COLOURS[light] },
    policy: [`style-src ${OWN_FOLDER}`],
    style: html`<link rel="stylesheet" href="../assets/${assets.styleName}">`,
    nav: navTo(sections),
    ...{ home: '../index.html', main, end: html`` },
  });
}
