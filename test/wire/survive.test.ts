/**
 * Faults of an operator's lab, each with what it must come to: right verdict, right blame, nothing left behind. Guests
 * are simulated: what is shown is about the harness only.
 */
import t from 'tap';
import { inLanes } from '../lanes.ts';
import { type Play, type Played, witness } from './witness.ts';

interface Row extends Play {
  readonly name: string;
  readonly result: 'PASS' | 'FAIL' | 'ERROR';
  readonly fault: string;
  readonly party: string;
  readonly says?: RegExp;
}

const PASS = { result: 'PASS', fault: 'none', party: 'none' } as const;
const lab = (fault: string) => ({ result: 'ERROR', fault, party: 'lab' }) as const;
const CODES = { PASS: 0, FAIL: 1, ERROR: 3 } as const;

const ROWS: readonly Row[] = [
  { name: 'a healthy lab', ...PASS },
  { name: 'SR full', mishaps: ['sr-full'], ...lab('UPLOAD_REFUSED'), says: /SR_BACKEND_FAILURE_44/ },
  { name: 'host out of memory', mishaps: ['no-memory'], ...lab('NO_HOST_AVAILABLE') },
];

const outcomes = inLanes<Row, Played>(2, ROWS, (row) =>
  witness({ ...row, args: ['--budget-scale', '0.2', ...(row.args ?? [])] }),
);
for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const played = await outcomes.get(row);
    if (played === undefined) throw new Error('not run');
    t.equal(played.metadata.get('result'), row.result, played.stderr);
    t.equal(played.metadata.get('fault'), row.fault);
    t.equal(played.metadata.get('fault_party'), row.party);
    t.equal(played.code, CODES[row.result]);
    if (row.says) t.match(played.metadata.get('reason'), row.says);
    t.same(played.left, [], 'nothing is left in the pool');
    t.comment(`${played.seconds.toFixed(1)} s`);
  });
}
