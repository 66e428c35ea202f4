/**
 * What a console can prove. Fatal rows are states that a guest never leaves by itself, so that waiting can end; only
 * some prove that the image is to blame: what a wrong firmware, boot order or attachment causes just as well
 * (`mountroot>`, "no bootable device") is left to the control image. The others are noted beside a silence.
 */

import type { ConsoleText } from '../lab.ts';
import { withoutTerminal } from './console-text.ts';
import { FATAL_ROWS, NOTED_ROWS, START_ROWS } from './signature-table.ts';
import { screenLines, screenShows } from './tolerant-match.ts';

const NOTED_CHARACTERS_MAX = 200;

export interface Signature {
  readonly name: string;
  /** For text that came over a serial port: exact. */
  readonly pattern: RegExp;
  /**
   * For text that was read off a screen: phrases that stand in one line each, in this order from the top; `^` at the
   * head: at the head of its line, `$` at the end: it is the whole of it. One of the lists is enough; none: a screen
   * cannot show it.
   */
  readonly screen: readonly (readonly string[])[];
  /** `image`: nothing in the lab can make it. `stuck`: waiting is over, blame is not decided. `nothing`: a symptom. */
  readonly proves: 'image' | 'stuck' | 'nothing';
  /** Why it is in the table, what it shows, and where the text is from. */
  readonly why: string;
}

/** Order matters: a missing root ends in a panic too, so what proves less comes first. */
export const FATAL_SIGNATURES: readonly Signature[] = FATAL_ROWS;
export const NOTED_SIGNATURES: readonly Signature[] = NOTED_ROWS;

/** A row that matched, with the line on which it did. */
export interface Fatal {
  readonly name: string;
  readonly proves: 'image' | 'stuck';
  readonly line: string;
}

/** The first row that matches, or null. */
export function fatalSignature(text: string, source: ConsoleText['source'] = 'serial'): Fatal | null {
  for (const { name, proves, line } of matches(FATAL_SIGNATURES, text, source)) {
    if (proves !== 'nothing') return { name, proves, line };
  }
  return null;
}

/** Symptoms, `name: line` each; they end no wait and decide no blame. */
export function notedSignatures(text: string, source: ConsoleText['source'] = 'serial'): readonly string[] {
  return [...matches(NOTED_SIGNATURES, text, source)].map(
    ({ name, line }) => `${name}: ${line.slice(0, NOTED_CHARACTERS_MAX)}`,
  );
}

/** What on a screen is of a machine's start, as far as it came: `firmware`, `loader` or `kernel`; null: nothing. */
export function startOnScreen(text: string): { readonly name: string; readonly line: string } | null {
  return [...matches(START_ROWS, text, 'screen')].at(-1) ?? null;
}

type Match = Pick<Signature, 'name' | 'proves'> & { readonly line: string };

function* matches(rows: readonly Signature[], text: string, source: ConsoleText['source']): Generator<Match> {
  const lines = source === 'screen' ? screenLines(text) : [];
  for (const { name, pattern, screen, proves } of rows) {
    const line = source === 'screen' ? screenShows(lines, screen) : lineOf(text, pattern);
    if (line !== null) yield { name, proves, line };
  }
}

function lineOf(text: string, pattern: RegExp): string | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const start = text.lastIndexOf('\n', match.index) + 1;
  const end = text.indexOf('\n', match.index);
  return withoutTerminal(text.slice(start, end < 0 ? undefined : end)).trim();
}
