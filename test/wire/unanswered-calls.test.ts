/**
 * Every call that a run really makes, never answered, nor carried out. Before and while the guest boots its deadline
 * ends the run as the lab's fault; in clean-up it is asked again. Nothing is left either way. Guests are simulated.
 */
import { type CallOfRun, callsOfARun, KINDS } from './calls-of-a-run.ts';
import { playRows } from './play-rows.ts';
import { lab, PASS, type Row } from './rows.ts';

/** A row waits for deadlines, and hardly works. */
const LANES = 16;
/** The provisioning budget of 600 s as 12 s. */
const SCALE = 0.02;
/** Clean-up is never hurried: one call of it waits for 30 to 60 s. */
const CLEAN_UP = { scale: 0.3, ...PASS };
/** A clean stop that is not answered waits for 120 s, then the guest is powered off over SSH. */
const CLEAN_STOP = { scale: 1, ...PASS };

const calls = await callsOfARun();
const answered = calls.filter(({ kind, method }) => kind === 'ephemeral' && method === 'system.getVersion').length;
const keepAlive: Row = {
  name: 'the keep-alive',
  scale: 3,
  answers: { guests: [{ boot: { delayMs: 95_000 } }] },
  ...{ faults: [`stall=system.getVersion:${answered + 1}`], ...PASS, reconnects: 1 },
};
/** What takes longest first. */
const cleansUp = ({ kind, method, nth }: CallOfRun): boolean => {
  const ofKind = calls.filter((each) => each.kind === kind);
  const started = ofKind.findIndex((each) => each.method === 'vm.start');
  const at = ofKind.findIndex((each) => each.method === method && each.nth === nth);
  return method === 'token.deleteOwn' || (started >= 0 && at > started);
};
const rowOf = (call: CallOfRun): Row => {
  const { kind, method, nth } = call;
  const outcome =
    kind === 'fixed' && method === 'vm.stop'
      ? CLEAN_STOP
      : cleansUp(call)
        ? CLEAN_UP
        : { scale: SCALE, ...lab('XO_CALL_TIMEOUT'), says: new RegExp(method) };
  return { ...KINDS[kind], name: `${kind}: ${method} ${nth}`, faults: [`stall=${method}:${nth}`], ...outcome };
};
const rows = calls.map(rowOf).sort((a, b) => (b.scale ?? 0) - (a.scale ?? 0));
playRows([keepAlive, ...rows], LANES);
