/** Broken guests of the matrix, with serial text. Simulated: what is shown is about the harness only. */
import { playRows } from '../wire/play-rows.ts';
import { GUESTS } from './classes.ts';

playRows(Object.values(GUESTS).flat(), 20);
