/** The exit code over several runs: 0 is earned by each of them. */
import t from 'tap';
import { exitCodeOf } from '../../../harness/repro/outcomes.ts';

const ROWS: readonly (readonly [codes: readonly number[], code: number])[] = [
  [[0, 0], 0],
  [[0, 1, 0], 1],
  [[3, 1], 1],
  [[0, 3], 3],
  [[0, 2], 3],
  [[2], 3],
  [[1, 70, 3], 70],
  [[70, 130], 130],
  [[0, 139], 70],
  [[], 70],
];
for (const [codes, code] of ROWS) t.equal(exitCodeOf(codes), code, codes.join(' ') || 'none');
