/**
 * The append-only record of a case: each line is on disk before anybody judges it. What was
 * observed goes in, never what it means.
 */
import { closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from './model.ts';
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
  readonly #fd: number;
  readonly #startedMs = performance.now();
  #sequence = 0;
  #closed = false;
  constructor(workdir: string) {
    this.#fd = openSync(join(workdir, 'evidence.ndjson'), 'ax', 0o644);
  }
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
    // Not `writeSync`: on a full disk that writes half a line and says nothing.
    writeFileSync(this.#fd, `${scrub(JSON.stringify(line))}\n`);
    return `evidence.ndjson#${sequence}`;
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    fsyncSync(this.#fd);
    closeSync(this.#fd);
  }
}
