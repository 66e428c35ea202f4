/** Reads a stored `evidence.ndjson` as far as it is whole: numbered without a gap, each line JSON. Pure. */

import type { Json } from '../model.ts';
import type { EvidenceKind } from '../workdir/evidence.ts';

/** One line; `kind` may be one that a newer or older version wrote. */
export interface EvidenceLine {
  readonly sequence: number;
  /** ISO 8601. */
  readonly at: string;
  readonly sinceStartMs: number;
  readonly kind: EvidenceKind | (string & {});
  readonly name: string;
  readonly data: Json;
}

export interface StoredEvidence {
  readonly lines: readonly EvidenceLine[];
  /** Why there may have been more, one clause; null: it ends with the verdict, as a whole one does. */
  readonly cut: string | null;
}

/** @param text null: there is no such file */
export function readEvidence(text: string | null): StoredEvidence {
  if (text === null) return { lines: [], cut: 'there is no evidence.ndjson' };
  const lines: EvidenceLine[] = [];
  for (const piece of text.split('\n')) {
    if (piece === '') continue;
    const line = evidenceLine(piece);
    const number = lines.length + 1;
    if (line?.sequence !== number) return { lines, cut: `line ${number} of evidence.ndjson is damaged or missing` };
    lines.push(line);
  }
  const last = lines.at(-1);
  if (last?.kind === 'judged' && last.name === 'verdict') return { lines, cut: null };
  return { lines, cut: `evidence.ndjson ends after ${lines.length} lines, before the verdict` };
}

/** The number in `evidence.ndjson#7`; null: it points nowhere. */
export function sequenceOf(pointer: string): number | null {
  const [, number] = /^evidence\.ndjson#(\d+)$/.exec(pointer) ?? [];
  return number === undefined ? null : Number(number);
}

function evidenceLine(text: string): EvidenceLine | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // said by the caller, with the number of the line
  }
  const { sequence, at, sinceStartMs, kind, name, data } = (value ?? {}) as Partial<
    Record<keyof EvidenceLine, unknown>
  >;
  const fits =
    typeof sequence === 'number' &&
    typeof at === 'string' &&
    typeof sinceStartMs === 'number' &&
    typeof kind === 'string' &&
    typeof name === 'string' &&
    data !== undefined;
  return fits ? { sequence, at, sinceStartMs, kind, name, data: data as Json } : null;
}
