/** Figures and times as people read them. All times are UTC: pages are read elsewhere than they are made. */
import { type Html, html } from './html.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => String(value).padStart(2, '0');

/** `26 Nov 06:49` */
export function shortTime(ms: number): string {
  const at = new Date(ms);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}

/** `26 Nov 2026` */
export function day(ms: number): string {
  const at = new Date(ms);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
}

/** `26 Nov 2026`, `25 Nov 2026 to 26 Nov 2026` */
export const days = (fromMs: number, toMs: number): string =>
  day(fromMs) === day(toMs) ? day(toMs) : `${day(fromMs)} to ${day(toMs)}`;

/** `26 Nov 2026, 06:49:23 UTC` */
export const fullTime = (ms: number): string => `${day(ms)}, ${new Date(ms).toISOString().slice(11, 19)} UTC`;

export const time = (ms: number): Html =>
  html`<time datetime="${new Date(ms).toISOString()}" title="${fullTime(ms)}">${shortTime(ms)}</time>`;

/** `0.4 s`, `37.5 s`, `4 min 12 s`, `1 h 03 min` */
export function duration(seconds: number): string {
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** `3 hours`, `12 days` */
export function span(ms: number): string {
  const hours = ms / 3_600_000;
  if (hours < 1) return counted(Math.max(1, Math.round(ms / 60_000)), 'minute');
  return hours < 48 ? counted(Math.round(hours), 'hour') : counted(Math.round(hours / 24), 'day');
}

export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`;

/** Digests are told apart by their beginning. */
export const shortDigest = (digest: string): string => digest.slice(0, 12);

/** `…/abc123-fruix-system`: the part of a store path that tells it from others. */
export function shortPath(path: string): string {
  const name = path.split('/').at(-1) ?? path;
  return name.replace(/^([0-9a-z]{12})[0-9a-z]{8,}-/, '$1…-');
}
