/**
 * Faults of an operator's lab, each with what it must come to: right verdict, right blame, nothing left behind. The
 * rows are the matrix's, which plays them without serial text as well. Lost connections and pools, and calls without an
 * answer, have files of their own beside this one. Guests are simulated: what is shown is about the harness only.
 */
import { LABS, SLOW_LABS } from '../matrix/classes.ts';
import { playRows } from './play-rows.ts';

/** A row waits more than it works. */
const LANES = 10;

playRows([...SLOW_LABS, ...Object.values(LABS).flat()], LANES);
