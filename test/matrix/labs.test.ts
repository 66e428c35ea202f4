/** Broken labs of the matrix without serial text, as every real one is; with it they are test/wire/survive.test.ts. */
import { playRows } from '../wire/play-rows.ts';
import { LABS, SLOW_LABS } from './classes.ts';

playRows([...SLOW_LABS, ...Object.values(LABS).flat()], 16, 'blind');
