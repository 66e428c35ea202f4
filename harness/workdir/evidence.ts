/**
 * The append-only record of a case: each line is on disk before anybody judges it. What was
 * observed goes in, never what it means.
 */
import { join } from 'node:path';
import { faultRecord } from '../faults/faults.ts';
import type { FaultRecord, Json } from '../model.ts';
import { LineFile } from './line-file.ts';
import { scrub } from './secrets.ts';

/** What a line is about. */
export type EvidenceKind =
  | 'lab'
  | 'image'
  | 'placement'
  | 'console'
  | 'command'
  | 'observation'
  | 'connection'
  | 'silence'
  | 'judged';

/** Takes what was observed; all that most of the harness knows of the evidence. */
export interface Recorder {
  /** @returns the pointer by which a check names this line, `evidence.ndjson#<n>`; empty: nothing is kept. */
  record(kind: EvidenceKind, name: string, data: unknown): string;
}

/** Keeps nothing. */
export const NOTHING_KEPT: Recorder = { record: () => '' };

/** Writes ndjson lines with a sequence number, the time, a kind and data. */
export class Evidence implements Recorder {
  readonly #file: LineFile;
  readonly #startedMs = performance.now();
  #sequence = 0;
  #closed = false;
  /** Why the first line that is missing is not there; null: all are. */
  missing: FaultRecord | null = null;
  /** @throws Fault OUTPUT_UNWRITABLE, MACHINE_EXHAUSTED */
  constructor(workdir: string) {
    this.#file = new LineFile(join(workdir, 'evidence.ndjson'));
  }
  /** @throws Fault OUTPUT_UNWRITABLE: what is not on disk must not be judged */
  record(kind: EvidenceKind, name: string, data: unknown): string {
    const sequence = ++this.#sequence;
    const line = {
      sequence,
      at: new Date().toISOString(),
      sinceStartMs: Math.round(performance.now() - this.#startedMs),
      kind,
      name,
      data: data as Json,
    };
    this.#kept(() => this.#file.append(scrub(JSON.stringify(line))));
    return `evidence.ndjson#${sequence}`;
  }
  /** @throws Fault OUTPUT_UNWRITABLE, also where somebody removed the file */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#kept(() => this.#file.close());
  }
  #kept(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.missing ??= faultRecord(error);
      throw error;
    }
  }
}
