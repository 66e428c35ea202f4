/** The operator's VM and disk, looked at: every reason to leave them alone, each as one sentence. */
import t from 'tap';
import type { PlannedImage } from '../../../harness/model.ts';
import { checkFixedPlace } from '../../../harness/xcpng/fixed-place.ts';
import { ObjectStore } from '../../../harness/xcpng/objects.ts';

type Raw = Readonly<Record<string, unknown>>;

const MIB = 1024 * 1024;
const named = { name_label: 'theirs', $pool: 'P' };
const VM: Raw = {
  ...{
    type: 'VM',
    uuid: 'vm',
    ...named,
    power_state: 'Halted',
    tags: [],
    $VBDs: ['vbd'],
    VIFs: ['vif'],
    snapshots: [],
  },
  ...{ addresses: {}, blockedOperations: {}, boot: { order: 'cdn', firmware: 'bios' }, virtualizationMode: 'hvm' },
};
const VDI: Raw = {
  ...{
    type: 'VDI',
    uuid: 'vdi',
    ...named,
    name_description: '',
    size: 8 * MIB,
    $SR: 'sr',
    $VBDs: ['vbd'],
    snapshots: [],
  },
};
const VBD: Raw = { type: 'VBD', VM: 'vm', VDI: 'vdi', position: '0', is_cd_drive: false, read_only: false };
const VIF: Raw = { type: 'VIF', $VM: 'vm', MAC: '02:00:00:00:00:01', device: '0', $network: 'n' };
const FIXED = { vm: 'vm', vdi: 'vdi', leave: 'halted', control: false, lockWaitMs: 0, pad: false } as const;
const IMAGE = {
  path: 'an.img',
  sizeBytes: 8 * MIB,
  identity: {},
  startsBy: ['bios', 'uefi'],
} as unknown as PlannedImage;

type Pool = Readonly<Record<string, Raw>>;
const pool = (changes: Pool = {}): ObjectStore => {
  const objects = new ObjectStore();
  objects.seed({
    P: { type: 'pool', uuid: 'P', name_label: 'a pool', $pool: 'P' },
    vm: VM,
    vdi: VDI,
    vbd: VBD,
    vif: VIF,
    ...changes,
  });
  return objects;
};

t.test('a VM that may be used', async (t) => {
  const place = checkFixedPlace(pool(), FIXED, IMAGE);
  t.match(place, { poolId: 'P', macs: ['02:00:00:00:00:01'], vm: { uuid: 'vm' }, vdi: { uuid: 'vdi' } });
  const cd = { ...VBD, VDI: undefined, position: '3', is_cd_drive: true };
  t.ok(checkFixedPlace(pool({ cd }), FIXED, IMAGE), 'an empty CD drive boots nothing');
  const rounded = { ...IMAGE, sizeBytes: 8 * MIB - 5 * 512 };
  t.ok(checkFixedPlace(pool(), FIXED, rounded), 'an SR rounds up to whole blocks');
  t.ok(checkFixedPlace(pool({ vdi: { ...VDI, size: 64 * MIB } }), { ...FIXED, pad: true }, IMAGE));
  t.ok(checkFixedPlace(pool({ vdi: { ...VDI, size: 64 * MIB } }), FIXED, null), 'without an image its size is open');
});

const uefi = { ...VM, boot: { order: 'c', firmware: 'uefi' } };
const NO_GPT = { ...IMAGE, identity: null };
type Refusal = readonly [string, Pool, RegExp, Partial<typeof FIXED>?, PlannedImage?];
const refusals: readonly Refusal[] = [
  ['no VM', { vm: { ...VM, type: 'other' } }, /^fixed\.vm: .* the pool has none vm$/],
  ['no disk', { vdi: { ...VDI, type: 'other' } }, /^fixed\.vdi: .* the pool has none vdi$/],
  ['another pool', { vdi: { ...VDI, $pool: 'Q' } }, /expected it in the pool of fixed\.vm/],
  ['PV', { vm: { ...VM, virtualizationMode: 'pv' } }, /expected an HVM guest, given pv/],
  ['snapshots', { vm: { ...VM, snapshots: ['s'] } }, /expected a VM without snapshots, given 1/],
  ['snapshots of the disk', { vdi: { ...VDI, snapshots: ['s', 't'] } }, /a disk without snapshots, given 2/],
  [
    'blocked',
    { vm: { ...VM, blockedOperations: { start: 'no', destroy: 'no' } } },
    /no blocked operation, given start$/,
  ],
  ['boot from the network', { vm: { ...VM, boot: { order: 'nc' } } }, /boot order c \(disk\) first, given "nc"/],
  ['no boot order', { vm: { ...VM, boot: {} } }, /boot order c \(disk\) first, given ""/],
  ["somebody's disk, too", { b2: { ...VBD, VM: 'other' } }, /a disk of that VM only, it is attached to other too/],
  ['not attached', { vbd: { ...VBD, VDI: undefined } }, /expected it to be attached to VM vm, it is attached to none/],
  ['read-only', { vbd: { ...VBD, read_only: true } }, /attached for writing, it is read-only/],
  [
    'a second disk',
    { b2: { ...VBD, VDI: 'd2', position: '1' } },
    /that disk only, disk d2 at position 1 may boot, too/,
  ],
  ['a CD', { b2: { ...VBD, VDI: 'iso', position: '3', is_cd_drive: true } }, /CD iso at position 3 may boot, too/],
  ['too small', { vdi: { ...VDI, size: 4 * MIB } }, /an\.img .* fit on fixed\.vdi, which has 4194304 bytes/],
  ['too large', { vdi: { ...VDI, size: 12 * MIB } }, /which has 12582912 bytes; --pad makes it so large/],
  ['nothing to move', {}, /expected an image with a GPT, since --pad moves its backup/, { pad: true } as never, NO_GPT],
  ['UEFI without GPT', { vm: uefi }, /expected a GPT, since fixed\.vm vm boots by UEFI/, {}, NO_GPT],
  ...(['bios', 'uefi'] as const).map(
    (firmware): Refusal => [
      `an image for the other firmware than ${firmware}`,
      { vm: { ...VM, boot: { order: 'c', firmware } } },
      firmware === 'uefi' ? /an EFI system partition, since .* boots by UEFI$/ : /boot code .* since .* boots by BIOS$/,
      {},
      { ...IMAGE, startsBy: [firmware === 'uefi' ? 'bios' : 'uefi'] },
    ],
  ),
  ['no VIF', { vm: { ...VM, VIFs: [] } }, /fixed\.vm vm: expected a VIF, it has none/],
];
for (const [name, changes, says, settings = {}, image = IMAGE] of refusals) {
  t.test(name, async (t) => {
    const refused = (): unknown => checkFixedPlace(pool(changes), { ...FIXED, ...settings }, image);
    t.throws(refused, { code: 'BAD_FIXED_VM', message: says });
  });
}

t.test('what is missing while XO shows no pool at all is the fault of nobody who calls', async (t) => {
  const objects = new ObjectStore();
  objects.seed({});
  t.throws(() => checkFixedPlace(objects, FIXED, null), { code: 'XO_OBJECT_LATE', message: /shows no pool/ });
});
