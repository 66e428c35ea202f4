/** How each case stands, and which runs are the last night. */
import t from 'tap';
import type { RunRow } from '../../../harness/history/run-row.ts';
import { byClock, lastNight, type Standing, standings } from '../../../harness/site/cases.ts';
import { DAY_MS, nights, START_MS } from './nights.ts';

function stands(letters: string, more: Partial<RunRow> = {}) {
  const rows = [...nights('P'.repeat(letters.length), { image: 'other' }), ...nights(letters, more)];
  rows.sort((a, b) => a.startedMs - b.startedMs);
  return standings(rows, lastNight(rows)).find(({ image }) => image === 'i');
}

t.test('how a case stands follows from its runs', async (t) => {
  const table: readonly (readonly [string, Standing | undefined, string])[] = [
    ['PPP', 'passing', 'as before'],
    ['P', 'passing', 'the first time'],
    ['PPF', 'newly failing', 'was PASS'],
    ['PPE', 'newly failing', 'ERROR is red, too'],
    ['F', 'newly failing', 'the first time'],
    ['PFF', 'still failing', 'was red'],
    ['PEF', 'still failing', 'another red'],
    ['PFP', 'fixed', 'was red'],
    ['PF.', 'not run', 'missing in this night'],
    ['F.P', 'fixed', 'over a night without it'],
    ['P.F', 'newly failing', 'over a night without it'],
    ['PFI', 'not run', 'stopped by a person: says nothing'],
    ['PIF', 'newly failing', 'what was stopped is passed over'],
    ['PSP', 'passing', 'what was skipped is passed over'],
    ['SS', undefined, 'never decided'],
    [`P${'.'.repeat(16)}`, undefined, 'not for a fortnight: history'],
  ];
  for (const [letters, standing, why] of table) t.equal(stands(letters)?.standing, standing, `${letters}: ${why}`);
});

t.test('since when, and how often', async (t) => {
  t.match(stands('PFEF'), { lastPass: { id: 'i-0' }, redRuns: 3, last: { id: 'i-3' } });
  t.match(stands('FF'), { lastPass: null, redRuns: 2 });
  t.match(stands('PPP'), { redRuns: 0 });
});

t.test('flaky: the same was asked, and the outcome turned twice', async (t) => {
  const same = { imageSha256: 'one' };
  t.same(stands('PFP', same)?.flaky, { passed: 2, of: 3 });
  t.same(stands('PEPPPPPPPPPPP', same)?.flaky, null, 'long ago');
  t.equal(stands('PFP')?.flaky, null, 'another image each night');
  t.equal(stands('PPF', same)?.flaky, null, 'turned once: it broke');
  t.equal(stands('PFP', { imageSha256: null })?.flaky, null, 'nothing is known of the image');
});

t.test('several attempts of one night: the last counts, and they are one night', async (t) => {
  const night = { night: 'n1' };
  const [pass] = nights('P');
  const rows = [...(pass ? [pass] : []), ...nights('.EP', night)];
  t.match(standings(rows, lastNight(rows)), [{ standing: 'passing', attempts: 2, lastPass: { id: 'i-0' } }]);
});

t.test('without a night by name the last 24 hours are one', async (t) => {
  const rows = nights('PPP', { night: null });
  t.same(lastNight(rows), { names: [], rows: rows.slice(1) });
  t.same(lastNight([]), { names: [], rows: [] });
});

t.test('two machines, or two plans: nights that share no case are one, the shared ones are not', async (t) => {
  const on = (lab: string, letters: string, more: Partial<RunRow> = {}) =>
    nights(letters, more).map((row) => ({ ...row, lab, id: `${lab}-${row.id}`, night: `${lab}-${row.night}` }));
  const late = (rows: readonly RunRow[], hours: number): readonly RunRow[] =>
    rows.map((row) => ({ ...row, startedMs: row.startedMs + hours * 3_600_000 }));
  const stood = (...both: readonly RunRow[][]) => {
    const rows = both.flat().sort((a, b) => a.startedMs - b.startedMs);
    const night = lastNight(rows);
    return [night.names, standings(rows, night).map(({ lab, standing }) => `${lab} ${standing}`)];
  };
  t.same(stood([...on('a', 'PF')], [...late(on('b', 'PP'), 3)]), [
    ['a-n1', 'b-n1'],
    ['a newly failing', 'b passing'],
  ]);
  t.same(
    stood([...on('a', 'PF.')], [...late(on('b', 'PPP'), 3)]),
    [['b-n2'], ['a not run', 'b passing']],
    'a did not run for a day, and is not taken for tonight',
  );
  t.same(
    stood(
      [...on('a', 'PF')],
      [...late(on('a', '.P'), 3)].map((row) => ({ ...row, id: 'x', night: 'again' })),
    ),
    [['again'], ['a fixed']],
    'the same plan once more is another night',
  );
});

t.test('a part of a night that is run again in the morning is of that night', async (t) => {
  const of = (image: string, letters: string, night: string, hours: number): readonly RunRow[] =>
    nights(letters, { image, night }).map((row) => ({
      ...{ ...row, id: `${night}-${image}` },
      startedMs: row.startedMs + hours * 3_600_000,
    }));
  const before = ['a', 'b', 'c'].flatMap((image) => of(image, 'P', 'n0', 0));
  const night = [...of('a', '.F', 'n1', 0), ...of('b', '.F', 'n1', 0), ...of('c', '.P', 'n1', 0)];
  const stood = (rows: readonly RunRow[]) => {
    const last = lastNight(rows);
    return [last.names, standings(rows, last).map(({ standing, attempts }) => `${standing} ${attempts}`)];
  };
  t.same(stood([...before, ...night, ...of('a', '.P', 'n2', 6)]), [
    ['n1', 'n2'],
    ['passing 2', 'newly failing 1', 'passing 1'],
  ]);
  t.same(stood([...before, ...night, ...of('a', '.P', 'n2', 6), ...of('b', '.F', 'n3', 7)]), [
    ['n1', 'n2', 'n3'],
    ['passing 2', 'newly failing 2', 'passing 1'],
  ]);
  const whole = [...of('a', '.P', 'n4', 6), ...of('b', '.P', 'n4', 6), ...of('c', '.P', 'n4', 6)];
  t.same(stood([...before, ...night, ...whole])[0], ['n4'], 'all of it again is another night');
  t.same(stood([...before, ...of('a', '.F', 'n1', 0), ...whole])[0], ['n4'], 'a trial before it is not of it');
});

t.test('a run of a wrong clock hides no night, and makes none new', async (t) => {
  const rows = nights('PPF');
  const [far, old] = [Date.parse('2031-01-01'), Date.parse('1970-01-01')].map((startedMs, nth) => {
    return { ...nights('P')[0], id: `x${nth}`, startedMs, night: 'n2' } as RunRow;
  });
  if (far === undefined || old === undefined) throw new Error('two rows were made');
  const { real, misdated } = byClock([old, ...rows, far], START_MS + 3 * DAY_MS);
  t.same([real, misdated], [rows, [old, far]]);
  t.same(lastNight(real), { names: ['n2'], rows: rows.slice(2) });
  t.same(byClock(rows, START_MS + 2 * DAY_MS - 600_000).misdated, [], 'minutes are no matter');
});
