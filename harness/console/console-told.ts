/** What a report says of the console of the guest that was validated. Pure. */
import { fatalSignature, startOnScreen } from './console-signatures.ts';

export interface ConsoleTold {
  /** Whether the lab served text of a serial port. */
  readonly serial: boolean;
  /** What the screen showed at the end, or why nothing is known of it: one clause. */
  readonly screen: string;
  /** Symptoms, `name: line` each; they end no wait and decide no blame. */
  readonly noted: readonly string[];
}

/** Lines that may stand below the last one of a firmware or loader; more would be a kernel's. */
const LINES_BELOW_MAX = 2;
const SERIAL_ONLY = 'as that of a guest whose console is serial only';

/** @param file where the whole text stands in the workdir */
export function shownBy(text: string, file: string): string {
  const lines = text.split('\n').flatMap((line) => line.trim() || []);
  if (lines.length === 0) return `shows nothing that can be read, ${SERIAL_ONLY}`;
  const at = lines.findLastIndex((line) => startOnScreen(line) !== null);
  const last = startOnScreen(lines[at] ?? '');
  const kernel = startOnScreen(text)?.name === 'kernel';
  const more = last === null || kernel || lines.length - 1 - at > LINES_BELOW_MAX;
  if (more || fatalSignature(text, 'screen') !== null) return `was read: ${file}`;
  return `shows no more than "${last.line}" of a ${last.name}, ${SERIAL_ONLY}`;
}
