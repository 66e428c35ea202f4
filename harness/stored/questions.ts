/** What was asked of a guest in a stored run, and what it answered, read again by today's parser. Pure. */
import type { CommandRecord, Observation } from '../model.ts';
import { frame, unframe } from '../probes/frame.ts';
import type { EvidenceLine, StoredEvidence } from './evidence-lines.ts';

export interface Question {
  /** Of the observation's line. */
  readonly sequence: number;
  readonly boot: number;
  /** Probe that asked; another one may have used the answer. */
  readonly name: string;
  readonly script: string;
  /** By today's parser, from what came over the wire. */
  readonly observation: Observation;
  /** The command, by the clock of then. */
  readonly tookMs: number;
}

/** By the number of the line of the observation. */
export type Questions = ReadonlyMap<number, Question>;

/** Command and observation are written together, the one after the other. */
export function questionsOf({ lines }: StoredEvidence): Questions {
  const found = new Map<number, Question>();
  let boot = 1;
  for (const [index, line] of lines.entries()) {
    if (line.kind === 'command' && line.name === 'reboot') boot++;
    const before = lines[index - 1];
    if (line.kind !== 'observation' || before?.kind !== 'command' || before.name !== line.name) continue;
    const record = commandOf(before);
    const nonce = record && nonceOf(record.script);
    if (record === null || nonce === null) continue;
    const { sequence, name } = line;
    const { script, durationMs: tookMs } = record;
    found.set(sequence, { sequence, boot, name, script, observation: unframe(record, nonce), tookMs });
  }
  return found;
}

/** Would today's probe ask the very same? @param body what it would run */
export function asksTheSame({ name, script }: Pick<Question, 'name' | 'script'>, body: string): boolean {
  const nonce = nonceOf(script);
  const [, patience] = /^BW_PATIENCE=(\d+)$/m.exec(script) ?? [];
  return nonce !== null && script === frame({ probe: name, nonce, body, patience: Number(patience ?? '1') });
}

function nonceOf(script: string): string | null {
  return /^BW_NONCE='([0-9a-f]{16,64})'$/m.exec(script)?.[1] ?? null;
}

/** Null: not of the shape that `unframe` reads. */
function commandOf({ data }: EvidenceLine): CommandRecord | null {
  const { script, stdout, stderr, exit, signal, truncated, timedOut, transport, durationMs } = (data ?? {}) as Readonly<
    Record<string, unknown>
  >;
  const texts = [script, stdout, stderr].every((each) => typeof each === 'string');
  const flags = [truncated, timedOut].every((each) => typeof each === 'boolean');
  const fits =
    texts &&
    flags &&
    [exit, durationMs].every((each) => each === null || typeof each === 'number') &&
    [signal, transport].every((each) => each === null || typeof each === 'string');
  return fits ? (data as unknown as CommandRecord) : null;
}
