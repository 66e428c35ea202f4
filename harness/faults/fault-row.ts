/** What the table of faults says of each code. */
import type { Party } from '../model.ts';

export interface FaultRow {
  readonly party: Party;
  /** May an idempotent call be tried again? Creating is never idempotent. */
  readonly retriable: boolean;
  /** One sentence to the person who must act. */
  readonly remedy: string;
}

export const row = (party: Party, retriable: boolean, remedy: string): FaultRow => ({ party, retriable, remedy });
