/**
 * Real boots of broken reference guests: each must end as FAIL, and name the right thing. Which ones there are
 * stands in the matrix; `npm run matrix -- --real` boots the others, too.
 */
import t from 'tap';
import { inLanes } from '../lanes.ts';
import { REAL, RealLab, realDifferences } from '../matrix/real.ts';

/** On two cores more would only slow each other down, past their budgets. */
const LANES = 2;

const lab = await RealLab.start();
t.teardown(() => lab.stop());
const rows = REAL.filter(({ inTests }) => inTests);
const outcomes = inLanes(LANES, rows, (row) => lab.play(row, 'serial'));
for (const row of rows) {
  t.test(`${row.variant} is a FAIL of the image`, async (t) => {
    const outcome = await outcomes.get(row);
    if (outcome === undefined) throw new Error('not run');
    t.same(realDifferences(row, outcome), [], outcome.stderr);
  });
}
