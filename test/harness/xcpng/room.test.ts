/** Room on an SR and on hosts: what is refused, what is only said, and with which figures. */
import t from 'tap';
import { diskNeed, memoryRoom, sized, srRoom } from '../../../harness/xcpng/room.ts';
import { type Host, host, type Sr, sr } from '../../../harness/xcpng/wire-pool.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const named = (uuid: string) => ({ uuid, name_label: `name of ${uuid}`, $pool: 'P' });

const srWith = (sizeBytes: number, usedBytes: number | null, more = {}): Sr =>
  sr('sr', {
    ...{ type: 'SR', ...named('sr'), content_type: 'user', size: sizeBytes, SR_type: 'ext' },
    ...(usedBytes === null ? {} : { physical_usage: usedBytes }),
    ...more,
  });
const hostWith = (id: string, sizeBytes: number, usedBytes: number): Host =>
  host(id, {
    type: 'host',
    ...named(id),
    enabled: true,
    power_state: 'Running',
    memory: { size: sizeBytes, usage: usedBytes },
  });

/** 20 GiB, of which 1 GiB is not zero. */
const image = { sizeBytes: 20 * GIB, blocks: Array.from({ length: 512 }, (_, index) => index) };

t.test('thin or thick', async (t) => {
  const kind = (more: object) => srWith(1, 0, more).thick;
  t.equal(kind({ allocationStrategy: 'thick', SR_type: 'ext' }), true, "XO's own word first");
  t.equal(kind({ allocationStrategy: 'thin', SR_type: 'lvm' }), false);
  for (const type of ['lvm', 'lvmoiscsi', 'lvmohba']) t.equal(kind({ SR_type: type }), true, type);
  for (const type of ['ext', 'nfs', 'file', 'smb']) t.equal(kind({ SR_type: type }), false, type);
  t.equal(kind({ allocationStrategy: 'unknown', SR_type: 'linstor' }), null, 'nobody can tell');
  const now = (more: object) => diskNeed(srWith(1, 0, more), image).nowBytes;
  t.ok(now({}) > GIB && now({}) < 1.01 * GIB, 'what is not zero, and a little');
  t.ok(now({ SR_type: 'lvm' }) > 20 * GIB && now({ SR_type: 'lvm' }) < 20.1 * GIB, 'all of it');
  t.equal(now({ SR_type: 'linstor' }), now({}), 'the smaller one where nobody can tell');
});

t.test('an SR', async (t) => {
  const room = (one: Sr) => srRoom(one, diskNeed(one, image));
  t.same(room(srWith(100 * GIB, 0)), { state: 'enough' });
  t.match(room(srWith(100 * GIB, 90 * GIB)), {
    state: 'tight',
    sentence: 'SR "name of sr" (sr; ext, thin): 10.0 GiB free of 100.0 GiB; the disk takes up to 20.0 GiB of it',
  });
  t.match(room(srWith(100 * GIB, 99.5 * GIB)), {
    state: 'short',
    code: 'SR_FULL',
    sentence: /ext, thin\): 512 MiB free of 100\.0 GiB, needed 1\.0 GiB \(what is not zero in the image\)/,
  });
  t.match(room(srWith(100 * GIB, 90 * GIB, { SR_type: 'lvm' })), {
    state: 'short',
    sentence: /lvm, thick\): 10\.0 GiB free of 100\.0 GiB, needed 20\.0 GiB \(the whole size of the image, reserved/,
  });
  t.match(room(srWith(100 * GIB, null)), { state: 'tight', sentence: /does not say how full it is/ });
  t.match(room(srWith(10 * GIB, 11 * GIB)), { state: 'short', sentence: /: 0 MiB free of/ }, 'more used than there is');
});

t.test('memory', async (t) => {
  const need = { memoryMiB: 2048, cpus: 2 };
  const none = () => 0;
  const [empty, full] = [hostWith('h1', 16 * GIB, GIB), hostWith('h2', 16 * GIB, 15 * GIB)];
  t.same(memoryRoom([full, empty], need, none), { state: 'enough' }, 'one of them has it');
  t.match(memoryRoom([full], need, none), {
    state: 'short',
    code: 'NO_HOST_AVAILABLE',
    sentence: [
      'the guest is to have 2048 MiB, and the only host that can run it has not so much free',
      '"name of h2" (h2): 1.0 GiB free of 16.0 GiB',
    ].join('; '),
  });
  const two = memoryRoom([full, hostWith('h3', 8 * GIB, 7.5 * GIB)], need, none);
  t.match(two, {
    state: 'short',
    sentence: /no host .*"name of h2".*1\.0 GiB.*"name of h3" \(h3\): 512 MiB free of 8\.0 GiB/,
  });
  const exact = memoryRoom([hostWith('h4', 4 * GIB, 2 * GIB)], need, none);
  t.match(exact, { state: 'tight', sentence: /memory is short, .*2\.0 GiB free/ }, 'Xen takes a little, too');
  t.match(
    memoryRoom([full], need, () => GIB),
    { state: 'tight' },
    'others can be made smaller',
  );
  t.match(memoryRoom([full, empty], { memoryMiB: 32768, cpus: 1 }, none), { state: 'short' });
  t.match(
    memoryRoom([hostWith('h5', 0, 0)], need, none),
    { state: 'tight', sentence: /not measured/ },
    'no figures, no refusal',
  );
});

t.test('figures for people', async (t) => {
  t.equal(sized(0), '0 MiB');
  t.equal(sized(1.5 * GIB), '1.5 GiB');
  t.equal(sized(700 * MIB), '700 MiB');
});
