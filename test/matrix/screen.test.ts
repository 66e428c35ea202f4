/**
 * Broken guests of the matrix of which a screen is all that is seen. Simulated, the OCR is real: a row costs seconds of
 * a core, so that here stands one of each kind; `npm run matrix` plays them all.
 */
import { playRows } from '../wire/play-rows.ts';
import { GUESTS } from './classes.ts';

const KINDS = [
  'panic of FreeBSD’s kernel',
  'a shell for a person',
  'mountroot> of FreeBSD',
  'a panic line of the past does not outweigh an answer',
  'a panic on the way down or up',
  'the guest panics after it was ready',
  'a panic line of before the answer, then the connection is lost',
];
const rows = Object.values(GUESTS).flat();

playRows(
  KINDS.map((name) => rows.find((row) => row.name === name) ?? raise(name)),
  2,
  'screen',
);

function raise(name: string): never {
  throw new Error(`expected a row of the matrix, given ${name}`);
}
