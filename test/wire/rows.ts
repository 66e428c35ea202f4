/** For tests: rows of faults, each played with the others in lanes and held to the verdict that is right. */
import t from 'tap';
import { inLanes } from '../lanes.ts';
import { type Play, type Played, witness } from './witness.ts';

export interface Row extends Play {
  readonly name: string;
  readonly result: 'PASS' | 'FAIL' | 'ERROR';
  readonly fault: string;
  readonly party: string;
  /** What the reason must say. */
  readonly says?: RegExp;
  /** What stderr must say. */
  readonly tells?: RegExp;
  /** VMs and disks that cannot but stay; default: none. */
  readonly leaves?: number;
  /** Of the scenario's budgets, default 0.5: guests here answer at once or never. */
  readonly scale?: number;
  /** How often the session is made anew. */
  readonly reconnects?: number;
}

export const PASS = { result: 'PASS', fault: 'none', party: 'none' } as const;
export const lab = (fault: string) => ({ result: 'ERROR', fault, party: 'lab' }) as const;
export const undetermined = (fault: string, says: RegExp) =>
  ({ result: 'ERROR', fault, party: 'undetermined', says }) as const;
/** One probe of a guest that is healthy otherwise. */
export const answering = (answer: unknown) => ({ guests: [{ answers: { 'shepherd-status': answer } }] });

const CODES = { PASS: 0, FAIL: 1, ERROR: 3 } as const;
/** Mishaps that come at their moment, once; one that never came proves nothing. */
const ONCE = [
  ...['drop-session-before', 'drop-session-after', 'drop-session-replied', 'stall', 'deleted-before', 'halted-before'],
  ...['restart', 'upload-restart', 'vanish-pool', 'revoke-token', 'vdi-in-use'],
];

function judge(t: Tap, row: Row, played: Played): void {
  t.equal(played.metadata.get('result'), row.result, played.stderr);
  t.equal(played.metadata.get('fault'), row.fault, played.stderr);
  t.equal(played.metadata.get('fault_party'), row.party);
  const leaves = row.leaves ?? 0;
  t.equal(played.code, row.result === 'PASS' && leaves > 0 ? 3 : CODES[row.result]);
  if (row.says) t.match(played.metadata.get('reason'), row.says);
  if (row.tells) t.match(played.stderr, row.tells);
  if (row.reconnects !== undefined) t.equal(played.metadata.get('xo_reconnects'), String(row.reconnects));
  t.same(
    played.unspent.filter((name) => ONCE.includes(name)),
    [],
    'the fault came',
  );
  if (leaves === 0) t.same(played.left, [], 'nothing is left in the pool');
  else {
    const things = played.left.filter((each) => /^(VM|VDI) /.test(each));
    t.equal(things.length, leaves, played.left.join('; '));
    t.match(played.stderr, /^LEFT IN THE LAB: /m, 'what stays is told');
  }
  t.comment(`${played.seconds.toFixed(1)} s`);
}

type Tap = Pick<typeof t, 'equal' | 'same' | 'match' | 'comment'>;

/** Plays all rows and makes a test of each. Those that take longest should come first. */
export function playRows(rows: readonly Row[], lanes: number): void {
  const outcomes = inLanes<Row, Played>(lanes, rows, (row) =>
    witness({ ...row, args: ['--budget-scale', String(row.scale ?? 0.5), ...(row.args ?? [])] }),
  );
  for (const row of rows) {
    t.test(row.name, async (t) => {
      const played = await outcomes.get(row);
      if (played === undefined) throw new Error('not run');
      judge(t, row, played);
    });
  }
}
