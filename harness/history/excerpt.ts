/** What of a workdir's evidence and console goes into the history: what the checks point to, cut to a size. Pure. */
import type { CommandRecord, JudgedCheck, Observation } from '../model.ts';
import type { CommandExcerpt, EvidenceExcerpt } from './run-record.ts';

/** Of one value; those behind a check that did not hold are longer. */
const HELD_CHARACTERS_MAX = 400;
const OTHER_CHARACTERS_MAX = 4_000;
const FACTS_MAX = 60;
/** Of the console's text: its last words. */
export const CONSOLE_CHARACTERS_MAX = 6_000;

export const cut = (text: string, max: number): string => (text.length <= max ? text : `${text.slice(0, max)} …`);

/** The end of a text, from the beginning of a line on. */
export function endOf(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = text.slice(-max);
  return `… ${end.slice(end.indexOf('\n') + 1)}`;
}

interface EvidenceLine {
  readonly sequence: number;
  readonly at: string;
  readonly kind: string;
  readonly name: string;
  readonly data: unknown;
}

/** The number in `evidence.ndjson#<number>`; null: it points to nothing. */
const pointedTo = ({ evidence }: JudgedCheck): number | null => {
  const number = /#(\d+)$/.exec(evidence)?.[1];
  return number === undefined ? null : Number(number);
};

/** @param lines of `evidence.ndjson`; one that is cut off or no JSON is passed over */
export function excerpts(
  lines: Iterable<string>,
  checks: readonly JudgedCheck[],
): Readonly<Record<string, EvidenceExcerpt>> {
  const wanted = new Map<number, number>();
  for (const check of checks) {
    const sequence = pointedTo(check);
    if (sequence === null) continue;
    const max = check.outcome === 'held' ? HELD_CHARACTERS_MAX : OTHER_CHARACTERS_MAX;
    wanted.set(sequence, Math.max(max, wanted.get(sequence) ?? 0));
  }
  const found: Record<string, EvidenceExcerpt> = {};
  let command: EvidenceLine | null = null;
  for (const line of lines) {
    const sequence = Number(/^\{"sequence":(\d+),/.exec(line)?.[1] ?? Number.NaN);
    const max = wanted.get(sequence);
    if (max !== undefined) {
      const read = parsed(line);
      if (read !== null) found[sequence] = excerpt(read, command, max);
    }
    // A probe's command is the line before what was observed by it.
    command = line.includes('"kind":"command"') && wanted.has(sequence + 1) ? parsed(line) : null;
  }
  return found;
}

function parsed(line: string): EvidenceLine | null {
  try {
    return JSON.parse(line) as EvidenceLine;
  } catch {
    return null; // the last line of a run that was killed
  }
}

function excerpt({ kind, name, at, data }: EvidenceLine, before: EvidenceLine | null, max: number): EvidenceExcerpt {
  const seen = kind === 'observation' ? (data as Observation) : null;
  const facts = seen?.state === 'seen' ? seen.facts : seen === null ? { data: JSON.stringify(data) ?? '' } : null;
  const shown = facts === null ? null : Object.entries(facts).filter(([key]) => key !== 'probe');
  return {
    ...{ kind, name, at },
    facts: shown && Object.fromEntries(shown.slice(0, FACTS_MAX).map(([key, value]) => [key, cut(String(value), max)])),
    unseen: seen?.state === 'unseen' ? cut(seen.reason, max) : '',
    command: before?.name === name ? commandExcerpt(before.data as CommandRecord, max) : null,
  };
}

function commandExcerpt(record: CommandRecord, max: number): CommandExcerpt {
  const { exit, durationMs, stderr, truncated, timedOut, transport } = record;
  const flaws = [truncated ? 'cut' : '', timedOut ? 'timed out' : '', transport ?? ''];
  return { exit, ms: Math.round(durationMs), stderr: cut(stderr, max), flaw: flaws.filter(Boolean).join(', ') };
}
