/** What can stop a case, as something that is thrown and as a record. */

import type { FaultRecord, Party } from '../model.ts';
import { FAULTS, type FaultCode } from './fault-table.ts';

/** This machine, or the limits that it sets for us, has no more file descriptors, buffers or memory. */
const EXHAUSTED: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'];

/** The system's code; null: it is about something else. */
function exhaustion(error: unknown): string | null {
  if (!(error instanceof Error && 'code' in error) || !EXHAUSTED.includes(error.code)) return null;
  return String(error.code);
}

/**
 * Thrown where a case cannot go on; `code` says whose fault it is, the original stays as `cause`. Whoever throws it,
 * a file or a socket that this machine did not give for want of room is nobody else's: it is MACHINE_EXHAUSTED then.
 */
export class Fault extends Error {
  readonly code: FaultCode;
  constructor(code: FaultCode, message: string, options?: { cause?: unknown }) {
    const dry = exhaustion(options?.cause);
    super(dry === null ? message : `${message}: this machine gives no more (${dry})`, options);
    this.name = 'Fault';
    this.code = dry === null ? code : 'MACHINE_EXHAUSTED';
  }
  get party(): Party {
    return FAULTS[this.code].party;
  }
  get retriable(): boolean {
    return FAULTS[this.code].retriable;
  }
}

/** Null: it is about something else. @param doing what was wanted, for the message */
export function exhausted(error: unknown, doing: string): Fault | null {
  return exhaustion(error) === null ? null : new Fault('MACHINE_EXHAUSTED', doing, { cause: error });
}

const CAUSES_MAX = 5;

/** Makes any thrown thing a record: a Fault by its code, a machine that has run dry, anything else as our own bug. */
export function faultRecord(thrown: unknown): FaultRecord {
  const fault = thrown instanceof Fault ? thrown : exhausted(thrown, 'in the middle of it');
  const code: FaultCode = fault?.code ?? 'HARNESS_BUG';
  const causes: string[] = [];
  let cause: unknown = fault ? fault.cause : thrown;
  while (cause !== undefined && cause !== null && causes.length < CAUSES_MAX) {
    causes.push(cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  const message = fault?.message ?? (thrown instanceof Error ? thrown.message : String(thrown));
  return { code, party: FAULTS[code].party, message, remedy: FAULTS[code].remedy, causes };
}
