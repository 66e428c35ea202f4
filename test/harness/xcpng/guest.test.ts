/** What a guest says of its address when two sources disagree, and of its end; the objects are told by hand. */
import t from 'tap';
import { systemClock } from '../../../harness/deadline.ts';
import { Secret } from '../../../harness/workdir/secrets.ts';
import { XoGuest } from '../../../harness/xcpng/guest.ts';
import { NOBODY } from '../../../harness/xcpng/link.ts';
import { ObjectStore } from '../../../harness/xcpng/objects.ts';
import type { XoLabSettings } from '../../../harness/xcpng/settings.ts';
import { within } from './test-lab.ts';

interface Told {
  readonly guest: XoGuest;
  readonly objects: ObjectStore;
  /** @param more fields of the VM */
  tell(addresses: Record<string, string>, more?: Record<string, unknown>): void;
}

function guestWith(slot: string | null, clock = systemClock): Told {
  const objects = new ObjectStore();
  const vm = { type: 'VM', uuid: 'v', name_label: 'x', $pool: 'P', power_state: 'Running', startTime: 1 };
  objects.seed({ P: { type: 'pool', $pool: 'P' }, h: { type: 'host', $pool: 'P' } });
  const tell = (addresses: Record<string, string>, more = {}): void =>
    objects.notify({ type: 'enter', items: { v: { ...vm, tags: [], $VBDs: [], VIFs: [], addresses, ...more } } });
  tell({});
  const session = {
    ...{ objects, token: new Secret('none of the test'), xoVersion: '0', user: NOBODY, lost: null, reconnects: 0 },
    endpoint: {
      base: 'http://127.0.0.1:1',
      tls: { insecure: false, caPem: null, fingerprint: null },
      clockOffsetMs: 0,
    },
    call: async () => true,
    close: async () => undefined,
  };
  const settings = { sshPort: 22, serialPath: null, addressSources: [] as readonly unknown[] } as XoLabSettings;
  const guest = new XoGuest({
    ...{ session, settings, poolId: 'P', uuid: 'v', name: 'x', macs: [], onlyDisk: true },
    slot: slot === null ? null : { mac: '02:00:00:00:00:01', address: slot },
    imported: { path: 'none', bytes: 0, ms: 0, mibPerS: 0, readBack: false, cache: 'off', entry: null },
    hostId: null,
    place: {
      ...{ pool: { uuid: 'P', name: 'pool' }, host: null, hostOrdered: false, template: null, sr: null, network: null },
      ...{ firmware: 'bios', memoryMiB: null, cpus: null, nic: null },
    },
    clock,
  });
  return { guest, objects, tell };
}

t.test('two sources that disagree are no guess', async (t) => {
  const { guest, tell } = guestWith('198.51.100.9');
  tell({ '0/ipv4/0': '198.51.100.7' });
  await t.rejects(guest.address(within(1_000)), {
    code: 'ADDRESS_CONFLICT',
    message: /guest-metrics says 198\.51\.100\.7, slot says 198\.51\.100\.9/,
  });
});

t.test('an address that comes later is waited for', async (t) => {
  const { guest, tell } = guestWith(null);
  await guest.start(within(1_000));
  const waiting = guest.address(within(60_000));
  tell({ '0/ipv4/0': '169.254.0.1' });
  tell({ '0/ipv4/0': '198.51.100.7' });
  t.same(await waiting, { host: '198.51.100.7', port: 22, source: 'guest-metrics', sure: true, others: [] });
});

t.test('XO halts a VM before it deletes it: such a halt is not the end of the guest, the deletion is', async (t) => {
  let nowMs = 0;
  const { guest, objects, tell } = guestWith(null, { nowMs: () => nowMs, sleep: async () => undefined });
  await guest.start(within(1_000));
  const after = (ms: number): string | undefined => {
    nowMs += ms;
    return guest.death()?.kind;
  };
  const HALTED = { power_state: 'Halted' };
  tell({}, HALTED);
  t.equal(after(0), undefined);
  objects.notify({ type: 'exit', items: { v: 0 } });
  t.equal(after(2_000), undefined);
  t.equal(after(10_000), 'vanished');
  tell({});
  t.equal(after(0), undefined);
  tell({}, HALTED);
  t.equal(after(0), undefined, 'the time starts anew');
  t.equal(after(2_999), undefined);
  t.equal(after(1), 'halted', 'what stays halted has ended');
});
