/** For tests: rows of faults, each played with the others in lanes and held to the verdict that is right. */
import t from 'tap';
import { inLanes } from '../lanes.ts';
import { differences, type Eyes, playOf, type Row } from './rows.ts';
import { type Played, witness } from './witness.ts';

/** Plays all rows and makes a test of each. Those that take longest should come first. */
export function playRows(rows: readonly Row[], lanes: number, eyes: Eyes = 'serial'): void {
  const outcomes = inLanes<Row, Played>(lanes, rows, (row) => witness(playOf(row, eyes)));
  for (const row of rows) {
    t.test(eyes === 'serial' ? row.name : `${row.name} (${eyes})`, async (t) => {
      const played = await outcomes.get(row);
      if (played === undefined) throw new Error('not run');
      t.same(differences(row, eyes, played), [], played.stderr);
      t.comment(`${played.seconds.toFixed(1)} s`);
    });
  }
}
