/** A case that runs in words and figures, as long as there is room for them. Pure. */
import type { Activity, Moving, Totals } from '../progress/board.ts';
import { cut, widthOf } from './columns.ts';
import { oneLine } from './event-lines.ts';

const MIB = 1_048_576;
const BAR = 10;
/** Below this a rate is a guess. */
const RATE_AFTER_S = 1;
const GAP = '  ';
/** Of a name at least so much is shown. */
const NAME_MIN = 12;

/** `45 s`, `3:05`, `1:02:03`. @param seconds 0 or more */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 100) return `${whole} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  const [minutes, rest] = [Math.floor(whole / 60), two(whole % 60)];
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}

function bar(share: number): string {
  const full = Math.max(0, Math.min(BAR, Math.round(share * BAR)));
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}]`;
}

const percent = (share: number): string => `${Math.floor(share * 100)} %`;
const mib = (bytes: number): string => (bytes / MIB).toFixed(1);

/** Longest first; each says the same in less room. */
function transferTexts({ what, doneBytes, totalBytes, fromBytes, sinceS }: Moving, nowS: number): readonly string[] {
  const share = totalBytes > 0 ? doneBytes / totalBytes : 0;
  const seconds = nowS - sinceS;
  const rate = seconds >= RATE_AFTER_S ? (doneBytes - fromBytes) / seconds : 0;
  const left = rate > 0 ? duration((totalBytes - doneBytes) / rate) : null;
  const head = `${what} ${percent(share)}`;
  const speed = left === null ? '' : `  ${mib(rate)} MiB/s`;
  const of = `${mib(doneBytes)} of ${mib(totalBytes)} MiB`;
  return [
    `${what} ${bar(share)} ${percent(share)}  ${of}${speed}${left === null ? '' : `  ${left} left`}`,
    `${what} ${bar(share)} ${percent(share)}${speed}${left === null ? '' : `  ${left} left`}`,
    left === null ? head : `${head}  ${left} left`,
    head,
  ];
}

function stageTexts({ stageSinceS, budgetS, ...activity }: Activity, nowS: number): readonly string[] {
  const [step, stage] = [oneLine(activity.step), oneLine(activity.stage)];
  const same = stage === '' || stage === step || step === 'begins';
  const short = stage === '' ? step : same ? stage : step;
  const long = same ? short : `${step}: ${stage}`;
  const elapsed = nowS - stageSinceS;
  if (budgetS === null || budgetS <= 0) {
    return [`${long}  ${duration(elapsed)}`, `${short}  ${duration(elapsed)}`];
  }
  const share = elapsed / budgetS;
  const of = `${duration(elapsed)} of ${duration(budgetS)}`;
  return [
    `${long}  ${bar(share)} ${percent(share)}  ${of}`,
    `${long}  ${percent(share)}  ${of}`,
    `${short}  ${percent(share)}  ${of}`,
    `${short}  ${percent(share)}`,
  ];
}

/** `phase9.fruix.pool1`, with its lab where the name does not say it. */
function nameOf({ name, lab, attempt }: Activity): string {
  const named = name.endsWith(`.${lab}`) ? name : `${name} on ${lab}`;
  return attempt === null || attempt === 1 ? named : `${named} (attempt ${attempt})`;
}

/** What it does at the moment, longest first. */
const textsOf = (activity: Activity, nowS: number): readonly string[] =>
  activity.moving === null ? stageTexts(activity, nowS) : transferTexts(activity.moving, nowS);

/** For a log: without bars, on one line. */
export function activityPhrase(activity: Activity, nowS: number): string {
  const { moving, budgetS, stageSinceS, stage, step } = activity;
  if (moving !== null) return `${moving.what} ${mib(moving.doneBytes)} of ${mib(moving.totalBytes)} MiB`;
  const what = stage === '' || stage === step ? step : step === 'begins' ? stage : `${step}: ${stage}`;
  const elapsed = (nowS - stageSinceS).toFixed(0);
  return budgetS === null ? `${oneLine(what)}, ${elapsed} s` : `${oneLine(what)}, ${elapsed} of ${budgetS} s`;
}

/**
 * The lines of all cases that run, names one below the other, each at most `columns` wide.
 * @param nowS seconds as in `Stamp.elapsedS`
 */
export function activityLines(running: readonly Activity[], nowS: number, columns: number): readonly string[] {
  const names = running.map(nameOf);
  const widest = Math.max(0, ...names.map((name) => widthOf(name)));
  return running.map((activity, nth) => {
    const texts = textsOf(activity, nowS);
    const beside = (room: number) => (text: string) => room + GAP.length + widthOf(text) <= columns;
    const text = texts.slice(0, -1).find(beside(widest)) ?? texts.find(beside(NAME_MIN)) ?? texts.at(-1) ?? '';
    const room = Math.min(widest, Math.max(NAME_MIN, columns - GAP.length - widthOf(text)));
    const name = cut(names[nth] ?? '', room);
    return cut(`${name}${' '.repeat(room - widthOf(name))}${GAP}${text}`, columns);
  });
}

/** `2 of 8 done, 2 running, 4 waiting; 1 passed, 1 failed, 0 error; 2:05` */
export function totalsLine({ cases, done, waiting, counts }: Totals, running: number, nowS: number): string {
  const { pass = 0, known = 0, fail = 0, error = 0, leak = 0, skip = 0 } = counts;
  const rare = [
    ...(known > 0 ? [`${known} known`] : []),
    ...(leak > 0 ? [`${leak} leaked`] : []),
    ...(skip > 0 ? [`${skip} skipped`] : []),
  ];
  const ended = [`${pass} passed`, `${fail} failed`, `${error} error`, ...rare].join(', ');
  return `${done} of ${cases} done, ${running} running, ${waiting} waiting; ${ended}; ${duration(nowS)}`;
}
