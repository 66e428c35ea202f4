/**
 * What is looked at before it matters, of a lab (`doctor`) or of an image (the lint). No verdict depends on it: a fault
 * is a finding with its remedy, and never the end of the examination.
 */

import { FAULTS } from './faults/fault-table.ts';
import { Fault } from './faults/faults.ts';

export const STATUSES = ['ok', 'warning', 'broken', 'unknown'] as const;

/** One thing that was looked at. */
export interface Finding {
  /** Kebab-case and stable, e.g. `xo-version`; with a number where there are several: `file-system-2`. */
  readonly name: string;
  /** `broken`: it cannot work so. `unknown`: it cannot be told from here. */
  readonly status: (typeof STATUSES)[number];
  /** What is there, or what is wrong with it, with names and figures. */
  readonly seen: string;
  /** What to do; empty where there is nothing to do. */
  readonly remedy: string;
}

/** Of an image, before it is sent. */
export interface LintFinding extends Finding {
  /** What was looked at. */
  readonly looked: string;
  /** Why that matters for booting; empty where nothing is wrong. */
  readonly why: string;
}

/** What a look found, before it has its name. */
export interface Look {
  readonly status: Finding['status'];
  readonly seen: string;
  readonly remedy?: string;
}

export const ok = (seen: string): Look => ({ status: 'ok', seen });
export const warning = (seen: string, remedy: string): Look => ({ status: 'warning', seen, remedy });
export const broken = (seen: string, remedy: string): Look => ({ status: 'broken', seen, remedy });
/** Cannot be told from here: said, not guessed. */
export const unknown = (seen: string, remedy: string): Look => ({ status: 'unknown', seen, remedy });

const line = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** @throws what is no Fault (our own bug), and the interrupt */
export async function look(name: string, looking: () => Look | Promise<Look>): Promise<Finding> {
  try {
    const { status, seen, remedy = '' } = await looking();
    return { name, status, seen: line(seen), remedy: line(remedy) };
  } catch (error) {
    if (!(error instanceof Fault) || error.code === 'INTERRUPTED') throw error;
    const { remedy } = FAULTS[error.code];
    return { name, status: 'broken', seen: line(`${error.code}: ${error.message}`), remedy };
  }
}
