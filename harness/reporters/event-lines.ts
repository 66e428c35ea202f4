/** Events as lines for people, the same on a terminal and in a log. Pure. */
import type { CaseEnds, Cause, Event, NightBegins, NightEnds, Refused, RunEnds } from '../progress/event.ts';
import { escapeValue } from '../report/report.ts';

const BLAME: Readonly<Record<Cause['party'], string>> = {
  image: 'the image',
  lab: 'the lab; this says nothing about the image',
  machine: 'the machine that ran this; this says nothing about the image',
  caller: 'the way this was called',
  harness: 'ours, a bug of the harness; this says nothing about the image',
  undetermined: 'undetermined; this says nothing about the image',
  nobody: "nobody's",
};

/** A text of somebody else's as one line that steers no terminal. */
export const oneLine = (text: string): string => escapeValue(text.replace(/\s+/g, ' ').trim());

/** `[  35.6 s]` */
export const stampOf = (elapsedS: number): string => `[${elapsedS.toFixed(1).padStart(6)} s]`;

/**
 * What stays to be read of an event; empty: nothing does. What a case of a night tells besides its end is its log's.
 */
export function linesOf(event: Event): readonly string[] {
  const stamp = stampOf(event.elapsedS);
  if (event.case !== null) return ofCase(event, event.case).map((text) => `${stamp} ${text}`);
  switch (event.event) {
    case 'step-begins':
      return [`${stamp} ${oneLine(event.step)}`];
    case 'note':
      return [`${stamp} ${oneLine(event.text)}`];
    case 'warning':
      return [`${stamp} warning: ${oneLine(event.text)}`];
    case 'refused':
      return refusal(event);
    case 'run-ends':
      return ['', ...closingLines(event)];
    case 'night-begins':
      return [`${stamp} night: ${oneLine(event.dir)}`, `${stamp} ${sizeOf(event)}`];
    case 'lab-given-up': {
      const { lab, cause } = event;
      const message = oneLine(cause.message);
      return [`${stamp} ${lab}: ${cause.code} concerns the whole lab: its remaining cases end with it (${message})`];
    }
    case 'remark':
      return [`${stamp} ${event.level === 'warning' ? 'WARNING' : 'FAILURE'}: ${oneLine(event.text)}`];
    case 'night-ends':
      return [`${stamp} ${nightLine(event)}`];
    default:
      return [];
  }
}

function refusal({ cause, hints }: Refused): readonly string[] {
  const message = oneLine(cause.message);
  return [`${message}${message.endsWith('?') ? '' : '.'} ${cause.remedy}`, ...hints];
}

function ofCase(event: Event, name: string): readonly string[] {
  switch (event.event) {
    case 'attempt-begins':
      return [`${name}: begins${event.attempt === 1 ? '' : `, attempt ${event.attempt}`}`];
    case 'attempt-repeated':
      return [
        `${name}: ${event.cause.code} (${event.cause.party}): ${oneLine(event.cause.message)}; it is tried again`,
      ];
    case 'case-ends':
      return [`${name}: ${caseLine(event)}`, ...where(event).map((line) => `  ${line}`)];
    case 'warning':
      return event.stays ? [`${name}: warning: ${oneLine(event.text)}`] : [];
    default:
      return [];
  }
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `11 cases on 2 labs` */
function sizeOf({ labs }: NightBegins): string {
  const cases = labs.reduce((sum, lab) => sum + lab.cases.length, 0);
  return `${counted(cases, 'case')} on ${counted(labs.filter((lab) => lab.cases.length > 0).length, 'lab')}`;
}

function caseLine({ status, standing, cause, skipped, seconds, attempts, leaked }: CaseEnds): string {
  const why = skipped === null ? (cause === null ? '' : `: ${cause.code}`) : `: ${skipped}`;
  const again = attempts === 1 ? '' : `, attempt ${attempts}`;
  const left = leaked.length === 0 ? '' : `, ${leaked.length} LEFT IN THE LAB`;
  return `${status}${standing === 'known' ? ', known' : ''}${why} (${seconds.toFixed(1)} s${again})${left}`;
}

function nightLine({ cases, counts, exitCode, dir }: NightEnds): string {
  const shown = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return `${counted(cases, 'case')}: ${shown.join(', ')}; exit code ${exitCode}; ${oneLine(dir)}`;
}

function closingLines(end: RunEnds): readonly string[] {
  return [
    end.headline,
    `workdir: ${end.workdir}`,
    ...end.warnings.map(oneLine),
    ...after(Object.entries(end.facts).map(([key, value]) => `${key}=${escapeValue(value)}`)),
    ...after(end.cause === null ? [] : causeLines(end.cause, end)),
    ...staying(end),
  ];
}

/** A paragraph of its own; nothing where it has no lines. */
const after = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : ['', ...lines]);

function causeLines({ code, message, party, remedy }: Cause, { look, repeat }: RunEnds): readonly string[] {
  return [
    `cause:  ${code}: ${oneLine(message)}`,
    `fault:  ${BLAME[party]}`,
    `remedy: ${remedy}`,
    ...(look.length === 0 ? [] : [`look:   ${look.map(oneLine).join(', ')}`]),
    `again:  ${repeat}`,
  ];
}

/** What is still there, by wish or by mistake, and what is not there and should be. */
const staying = (end: RunEnds): readonly string[] => [
  ...keptLines(end),
  ...end.leaked.map((left) => `LEFT IN THE LAB: ${left}`),
  ...end.problems.map(oneLine),
];

/** What a person needs who wants to look at the machine that stays. */
function keptLines({ kept }: RunEnds): readonly string[] {
  if (kept === null) return [];
  const { commands, afterwards, until, vm, name } = kept;
  const gone =
    afterwards === 'deleted' ? 'then any sweep deletes it' : "then its lock is free; it is an operator's and stays";
  return [
    '',
    `KEPT: VM ${vm} ${name}, until ${until}; ${gone}`,
    `shell:   ${commands.shell}`,
    ...(commands.ssh === null ? [] : [`ssh:     ${commands.ssh}`]),
    `console: ${commands.console}`,
    `remove:  ${commands.remove}`,
  ];
}

/** Only what ended badly, or stays: what `--quiet` leaves. */
export function badEndings(event: Event): readonly string[] {
  switch (event.event) {
    case 'refused':
      return event.case === null ? linesOf(event) : [];
    case 'run-ends': {
      if (event.case !== null) return [];
      const badly = event.exitCode === 0 ? [] : [event.headline, `workdir: ${event.workdir}`];
      return [...badly, ...(event.cause === null ? [] : causeLines(event.cause, event)), ...staying(event)];
    }
    case 'case-ends':
      return badCase(event, event.case ?? '');
    case 'remark':
      return event.level === 'warning' ? [] : linesOf(event);
    case 'warning':
      return event.stays ? linesOf(event) : [];
    case 'night-ends':
      return event.exitCode === 130 ? linesOf(event) : [];
    default:
      return [];
  }
}

const isFine = ({ standing }: CaseEnds): boolean => ['pass', 'known', 'skip'].includes(standing);

/** What wants somebody's eyes, and where they look; empty: nothing does. */
function where(end: CaseEnds): readonly string[] {
  const { cause, leaked, workdir } = end;
  const left = leaked.map((each) => `LEFT IN THE LAB: ${oneLine(each)}`);
  if (isFine(end)) return left;
  const seen = cause === null ? [] : [`cause:  ${oneLine(cause.message)}`];
  return [...(workdir === null ? [] : [`workdir: ${workdir}`]), ...seen, ...left];
}

function badCase(end: CaseEnds, name: string): readonly string[] {
  const lines = where(end);
  if (lines.length === 0) return [];
  const remedy = isFine(end) || end.cause === null ? [] : [`remedy: ${end.cause.remedy}`];
  return [`${name}: ${caseLine(end)}`, ...lines, ...remedy];
}
