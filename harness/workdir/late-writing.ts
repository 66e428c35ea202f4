/** What is written when the guest is gone: it must not hinder what comes after it, nor be lost silently. */
import { faultRecord } from '../faults/faults.ts';
import type { FaultRecord } from '../model.ts';

export class LateWriting {
  /** Why the first thing could not be written; null: all was. */
  fault: FaultRecord | null = null;
  /** Never throws. */
  attempt(write: () => unknown): void {
    try {
      write();
    } catch (error) {
      this.fault ??= faultRecord(error);
    }
  }
}
