/** Broken guests of the matrix without serial text, as in every real lab. Simulated. */
import { playRows } from '../wire/play-rows.ts';
import { GUESTS } from './classes.ts';

playRows(Object.values(GUESTS).flat(), 20, 'blind');
