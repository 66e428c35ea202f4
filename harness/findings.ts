/** How one thing is looked at: a fault is a finding with its remedy, and never the end of the examination. */
import { FAULTS, Fault } from './faults.ts';
import type { Condition, Finding } from './model.ts';

/** What a look found, before it has its name. */
export interface Look {
  readonly condition: Condition;
  readonly seen: string;
  readonly remedy?: string;
}

export const ok = (seen: string): Look => ({ condition: 'ok', seen });
export const warning = (seen: string, remedy: string): Look => ({ condition: 'warning', seen, remedy });
export const broken = (seen: string, remedy: string): Look => ({ condition: 'broken', seen, remedy });
/** Cannot be told from here: said, not guessed. */
export const unknown = (seen: string, remedy: string): Look => ({ condition: 'unknown', seen, remedy });

const line = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** @throws what is no Fault (our own bug), and the interrupt */
export async function look(name: string, looking: () => Look | Promise<Look>): Promise<Finding> {
  try {
    const { condition, seen, remedy = '' } = await looking();
    return { name, condition, seen: line(seen), remedy: line(remedy) };
  } catch (error) {
    if (!(error instanceof Fault) || error.code === 'INTERRUPTED') throw error;
    const { remedy } = FAULTS[error.code];
    return { name, condition: 'broken', seen: line(`${error.code}: ${error.message}`), remedy };
  }
}
