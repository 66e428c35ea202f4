/** Waiting for a guest whose address nobody is sure of: somebody else may live there by now. */
import t from 'tap';
import { awaitArrival } from '../../../harness/boot/arrival.ts';
import { ConsoleWitness } from '../../../harness/console/witness.ts';
import { Deadline, systemClock, until } from '../../../harness/deadline.ts';
import { Fault } from '../../../harness/faults/faults.ts';
import type { Address, Guest, GuestDeath } from '../../../harness/lab.ts';
import { NOTHING_KEPT } from '../../../harness/workdir/evidence.ts';
import { lab, PORT, rootBy, rootKey, type Started } from '../../lab/simulated-guests.ts';

/** Pauses are short, times are as they are. */
const IMPATIENT = {
  nowMs: systemClock.nowMs,
  sleep: (ms: number, signal: AbortSignal) => systemClock.sleep(ms / 50, signal),
};
const within = (ms: number): Deadline => Deadline.after(ms, new AbortController().signal, IMPATIENT);

const at = ({ slot }: Started, sure: boolean): Address => ({
  ...{ host: slot.address, port: PORT, source: 'neighbour-table', others: [], sure },
});

/** A guest of which is said: first the one, then the other; `asked` counts. */
function guestAt(first: Address, later: Address): Guest & { asked(): number } {
  let asked = 0;
  return {
    ...{ uuid: 'v', name: 'x', macs: [], onlyDisk: true, afterwards: 'halted' },
    imported: { path: 'none', bytes: 0, ms: 0, mibPerS: 0, readBack: true, cache: 'off', entry: null },
    placed: {
      ...{ pool: { uuid: 'P', name: 'pool' }, host: null, hostOrdered: false, template: null, sr: null, network: null },
      ...{ firmware: 'bios', memoryMiB: null, cpus: null, nic: null },
    },
    start: async () => undefined,
    address: async () => (asked++ === 0 ? first : later),
    confirmAddress: async (used: Address) => used,
    death: () => null,
    outOfSight: () => null,
    stop: async () => 'not-running',
    console: async () => undefined,
    screen: () => ({ look: async () => Promise.reject(new Error('none')), close: () => undefined }),
    asked: () => asked,
  };
}

for (const sshd of ['refuse-key', 'old-algorithms'] as const) {
  t.test(`a stranger's sshd (${sshd}) at an old address is no verdict on our guest`, async (t) => {
    const stranger = await lab(t, { guests: [{ boot: { sshd } }] })();
    const ours = await lab(t)();
    const guest = guestAt(at(stranger, false), at(ours, true));
    const arrival = await awaitArrival(guest, rootBy(rootKey()), within(20_000), () => undefined);
    t.match(arrival, { state: 'answered', address: { host: ours.slot.address } });
    if (arrival.state === 'answered') arrival.session.close();
  });

  t.test(`at an address that somebody is sure of it is (${sshd})`, async (t) => {
    const start = lab(t, { guests: [{ boot: { sshd } }] });
    const here = at(await start(), true);
    const guest = guestAt(here, here);
    const code = sshd === 'refuse-key' ? 'SSH_KEY_REFUSED' : 'SSH_NO_AGREEMENT';
    await t.rejects(
      awaitArrival(guest, rootBy(rootKey()), within(20_000), () => undefined),
      { code },
    );
    t.equal(guest.asked(), 1, 'at once');
  });
}

t.test('and an old address that stays the only one ends by its time', async (t) => {
  const start = lab(t, { guests: [{ boot: { sshd: 'refuse-key' } }] });
  const here = at(await start(), false);
  const waiting = awaitArrival(guestAt(here, here), rootBy(rootKey()), within(1_500), () => undefined);
  await t.rejects(waiting, { code: 'SSH_KEY_REFUSED' });
});

/** A guest of whose address nobody ever knows, as of one that got none. */
function guestNowhere(console: string, death: GuestDeath | null = null): Guest {
  const nowhere: Address = { host: '127.0.0.1', port: 1, source: 'none', others: [], sure: false };
  return {
    ...guestAt(nowhere, nowhere),
    address: async (deadline) =>
      until(deadline, { what: 'the address', code: 'ADDRESS_UNKNOWN', everyMs: 1 }, () => {
        // As XoGuest has it.
        if (death !== null) throw new Fault('ADDRESS_UNKNOWN', death.seen);
        return { seen: 'nobody knows one' };
      }),
    death: () => death,
    console: async () => ({ source: 'serial', text: console }),
  };
}

t.test('a guest without an address is silent: who is to blame is decided by procedure', async (t) => {
  const arrival = await awaitArrival(guestNowhere(''), rootBy(rootKey()), within(200), () => undefined);
  t.match(arrival, { state: 'silent', silence: { addressed: false, fatal: null, lastSeen: /nobody knows one/ } });
});

t.test('what its console shows ends the wait also before there is an address', async (t) => {
  const guest = guestNowhere('panic: page fault\ncpuid = 0\n');
  const parts = { guest, workdir: t.testdir({ console: {} }), evidence: NOTHING_KEPT, purpose: 'image' } as const;
  const console = new ConsoleWitness(parts);
  const watch = console.watch({ milestone: 'power-on', from: 0 });
  const arrival = await awaitArrival(guest, rootBy(rootKey()), within(60_000), () => undefined, { watch });
  await console.end();
  await console.settled();
  t.match(arrival, { state: 'silent', silence: { addressed: false, fatal: { name: 'freebsd-panic' } } });
});

t.test('so does a halt', async (t) => {
  const halted = guestNowhere('', { kind: 'halted', seen: 'it is off' });
  const arrival = await awaitArrival(halted, rootBy(rootKey()), within(60_000), () => undefined);
  t.match(arrival, { state: 'silent', silence: { addressed: false, halted: true } });
});

t.test('a stop on the console that was there before the first look: the guest has the last word', async (t) => {
  const stopped = new AbortController();
  stopped.abort(new Error('freebsd-panic'));
  const fatal = { name: 'freebsd-panic', line: 'panic: page fault', proves: 'image' } as const;
  const watch = { fatal, fatalSignal: stopped.signal };
  const address = (work: Guest['address'], known: Address): Guest => ({
    ...guestAt(known, known),
    // As the real ones: nobody is asked by a deadline whose signal has aborted.
    address: async (deadline) => {
      deadline.check();
      return work(deadline);
    },
  });
  const alive = at(await lab(t)(), true);
  const wait = (guest: Guest) =>
    awaitArrival(guest, rootBy(rootKey()), within(20_000), () => undefined, { watch, lastWordMs: 5_000 });
  const lives = await wait(address(async () => alive, alive));
  t.equal(lives.state, 'answered', 'it lives on');
  if (lives.state === 'answered') lives.session.close();
  const unknown = async (): Promise<never> => Promise.reject(new Fault('ADDRESS_UNKNOWN', 'no lease'));
  t.match(await wait(address(unknown, alive)), { state: 'silent', silence: { lastSeen: 'no address' } });
  const conflict = async (): Promise<never> => Promise.reject(new Fault('ADDRESS_CONFLICT', 'two of them'));
  await t.rejects(wait(address(conflict, alive)), { code: 'ADDRESS_CONFLICT' }, 'the fault of the lab is thrown on');
});
