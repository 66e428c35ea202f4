/**
 * Every call that a run really makes, with the socket cut before it is carried out, after that and before its reply,
 * and after the reply: the run passes all the same, and nothing is left. Guests are simulated.
 */
import t from 'tap';
import { recordHarness } from '../contract/harness-calls.ts';
import { type CallOfRun, callsOfARun, KINDS } from './calls-of-a-run.ts';
import { playRows } from './play-rows.ts';
import { PASS, type Row } from './rows.ts';

const CUTS = ['drop-session-before', 'drop-session-after', 'drop-session-replied'];
const LANES = 10;

const calls = await callsOfARun();
/** What goes to XO every minute in between; the banner comes after that. */
const KEEP_ALIVE =
  calls.filter(({ kind, method }) => kind === 'ephemeral' && method === 'system.getVersion').length + 1;
const keptAlive = CUTS.map(
  (cut): Row => ({
    name: `${cut}: the keep-alive`,
    scale: 2,
    answers: { guests: [{ boot: { delayMs: 64_000 } }] },
    ...{ faults: [`${cut}=system.getVersion:${KEEP_ALIVE}`], ...PASS, reconnects: 1 },
  }),
);
/** The last call of a run has been answered: nobody misses the socket. */
const isLast = ({ kind, method, nth }: CallOfRun): boolean => {
  const same = calls.filter((each) => each.kind === kind && each.method === method);
  return method === 'token.deleteOwn' || (method === 'xo.getAllObjects' && nth === same.length);
};
const rows = calls.flatMap((call) =>
  CUTS.map((cut): Row => {
    const { kind, method, nth } = call;
    const name = `${kind}: ${cut}: ${method} ${nth}`;
    return {
      ...KINDS[kind],
      name,
      faults: [`${cut}=${method}:${nth}`],
      ...PASS,
      ...(isLast(call) ? {} : { reconnects: 1 }),
    };
  }),
);

t.test('no call of the harness is without its rows', async (t) => {
  const { ofRuns: known } = await recordHarness();
  const methods = new Set(calls.map(({ method }) => method));
  t.same(
    [...new Set(known.map(({ method }) => method))].filter((method) => !methods.has(method)),
    [],
  );
});
playRows([...keptAlive, ...rows], LANES);
