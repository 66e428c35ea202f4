/**
 * From a script and the answer that is wanted for it to the bytes that a guest's shell would send. The
 * script is not run: its first two lines say which probe asks and with which mark answers count.
 */
import type { Answer, ShellBehaviour } from './guest-answers.ts';
import type { Facts } from './simulated-facts.ts';

export interface Question {
  readonly probe: string;
  readonly nonce: string;
}

/** What happens on the channel. */
export type Reply =
  | {
      readonly kind: 'said';
      readonly stdout: string;
      readonly stderr: string;
      readonly exit: number;
      /** Bytes without meaning before `stdout`. */
      readonly garbage: number;
      /** The channel is never closed. */
      readonly open: boolean;
    }
  /** Ends without an exit status. */
  | { readonly kind: 'cut'; readonly stdout: Buffer }
  | { readonly kind: 'hang' }
  | { readonly kind: 'drop' };

/** Null: not a script of the agreed form. */
export function questionOf(script: string): Question | null {
  const probe = /^BW_PROBE='([^']*)'$/m.exec(script)?.[1];
  const nonce = /^BW_NONCE='([0-9a-f]+)'$/m.exec(script)?.[1];
  return probe === undefined || nonce === undefined ? null : { probe, nonce };
}

/** @param healthy what a healthy guest answers; null: it knows no such probe. */
export function replyTo(
  question: Question,
  healthy: Facts | null,
  answer: Answer | null,
  { banner, crlf }: ShellBehaviour,
): Reply {
  if (answer?.hang) return { kind: 'hang' };
  if (answer?.drop || answer?.goes != null) return { kind: 'drop' };
  const plain = spoken(question, healthy, answer);
  const stdout = banner + plain.stdout;
  const said = { ...plain, stdout: crlf ? stdout.replaceAll('\n', '\r\n') : stdout };
  if (answer?.cut == null) return said;
  return { kind: 'cut', stdout: Buffer.from(said.stdout).subarray(0, answer.cut) };
}

function spoken({ probe, nonce }: Question, healthy: Facts | null, answer: Answer | null): Reply & { kind: 'said' } {
  const [stderr, garbage, open] = [answer?.stderr ?? '', answer?.garbage ?? 0, answer?.open ?? false];
  if (answer != null && answer.raw !== null) {
    return {
      kind: 'said',
      stdout: answer.raw.replaceAll('{{nonce}}', nonce),
      stderr,
      exit: answer.exit,
      garbage,
      open,
    };
  }
  if (healthy === null && Object.keys(answer?.facts ?? {}).length === 0) {
    const why = `simulated guest: no answer is known for probe '${probe}'\n`;
    return { kind: 'said', stdout: '', stderr: why, exit: 3, garbage, open };
  }
  const facts: Record<string, string | null> = { probe, ...healthy, ...answer?.facts };
  const lines = Object.entries(facts).flatMap(([key, value]) =>
    value === null ? [] : [`@${nonce}\t${key}\t${value === '' ? '=' : Buffer.from(value).toString('hex')}\n`],
  );
  // The script itself ends well whatever its main did: that status stands in the end line.
  const stdout = `\n${lines.join('')}@${nonce}\tend\t${answer?.exit ?? 0}\n`;
  return { kind: 'said', stdout, stderr, exit: 0, garbage, open };
}
