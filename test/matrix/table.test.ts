/** The figures of the matrix: each kind of mistake is counted, and what is not one is not. */
import t from 'tap';
import { inLanes } from '../lanes.ts';
import { broken, differences, lab, PASS, playOf, type Row, SILENT, unseen } from '../wire/rows.ts';
import { witness } from '../wire/witness.ts';
import { GUESTS, LABS, SLOW_LABS } from './classes.ts';
import { SILENCE } from './silence.ts';
import { closing, type Entry, exitOf, lineOf, tally } from './table.ts';

const entry = (expected: Entry['expected'], got: Entry['got'], otherwise: readonly string[] = []): Entry => ({
  ...{ name: 'class: row', eyes: 'serial', expected, got, seconds: 1.25 },
  differences: otherwise,
});

t.test('counted once each, the worst first', async (t) => {
  const entries = [
    entry(PASS, PASS),
    entry(broken('a'), PASS, ['result']),
    entry(lab('X'), SILENT, ['party']),
    entry(SILENT, lab('X'), ['party']),
    entry(SILENT, unseen('a'), ['party: undetermined is no blame']),
    entry(SILENT, null, ['not played']),
    entry(PASS, PASS, ['left in the pool']),
  ];
  t.same(tally(entries), { rows: 7, falsePass: 1, wrongParty: 2, otherwise: 3 });
});

t.test('the exit code is 0 only where every figure is, and a row was played', async (t) => {
  const none = { rows: 3, falsePass: 0, wrongParty: 0, otherwise: 0 };
  t.equal(exitOf(none), 0);
  t.equal(exitOf({ ...none, rows: 0 }), 1);
  for (const key of ['falsePass', 'wrongParty', 'otherwise'] as const) t.equal(exitOf({ ...none, [key]: 1 }), 1);
  t.match(closing(none, 9.6), /^3 rows in 10 s.*\nfalse PASS: 0\nblamed on the wrong party: 0$/);
});

t.test('a line says what was expected, what came, and all that is different', async (t) => {
  const line = lineOf(entry(broken('a', 'b'), PASS, ['result: expected FAIL, was PASS']));
  t.match(line, /^class: row \[serial\] +FAIL CHECKS_FAILED \(image\) +PASS +1\.3 {2}a b\n {4}DIFFERENT: result/);
});

t.test('at least 40 guests and 25 labs, no name twice', async (t) => {
  const guests = Object.values(GUESTS).flat();
  const labs = [...SLOW_LABS, ...Object.values(LABS).flat()];
  const silence = Object.values(SILENCE).flat();
  t.ok(guests.length >= 40, String(guests.length));
  t.ok(labs.length >= 25, String(labs.length));
  const names = [...guests, ...labs, ...silence].map(({ name }) => name);
  t.same(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  );
});

/** Rows that expect what is not so, with what must be said of each. */
const WRONG: readonly (readonly [Row, RegExp])[] = [
  [
    { name: 'healthy', ...broken('uname_output') },
    /^result: expected FAIL, was PASS\n.*checks: expected uname_output/s,
  ],
  [{ name: 'told', ...PASS, says: /nobody says this/ }, /^the reason: expected/],
  [{ name: 'left', ...PASS, leaves: 1 }, /things left in the pool: expected 1, was 0/],
  [{ name: 'kept', mishaps: ['blocked-operation=destroy'], ...PASS }, /left in the pool: VM /],
  [{ name: 'never came', faults: ['stall=vm.snapshot'], ...PASS }, /the fault never came: stall/],
  [{ name: 'no silence', ...PASS, path: [/x/] }, /silence procedure is not in the evidence/],
];
const outcomes = inLanes(3, WRONG, ([row]) => witness(playOf(row, 'serial')));
for (const wrong of WRONG) {
  const [row, says] = wrong;
  t.test(`a row that expects what is not so is told: ${row.name}`, async (t) => {
    const played = await outcomes.get(wrong);
    if (played === undefined) throw new Error('not run');
    t.match(differences(row, 'serial', played).join('\n'), says);
  });
}

t.test('a lab file without a console cannot be made blind', async (t) => {
  t.throws(() => playOf({ name: 'x', ...PASS }, 'blind').labFile?.('name = "x"\n'), /no \[console\]/);
});
