/** Every flag that a guest's health or a verdict hangs on is in the arguments, and in no other form. */
import t from 'tap';
import type { BackendVm } from '../../lab/backend.ts';
import { type QemuSettings, qemuArgs } from '../../lab/qemu-args.ts';

const vm: BackendVm = {
  uuid: '5b9c6a52-0d1e-4b5f-8f00-0123456789ab',
  name: 'phase9, image',
  memoryBytes: 512 * 2 ** 20,
  cpus: 4,
  firmware: 'bios',
  bootOrder: 'cdn',
  disks: [
    { path: '/lab/b,1.raw', position: '10', readOnly: true },
    { path: '/lab/a.raw', position: '2', readOnly: false },
  ],
  nics: [{ mac: '02:00:00:00:aa:01', address: '127.83.17.1', dead: false }],
  nicType: null,
  dir: '/lab/vm',
};
const settings: QemuSettings = {
  accelerator: 'tcg',
  paths: { qmpSocket: '/lab/vm/qmp', vncSocket: '/lab/vm/vnc', serialFile: '/lab/vm,1/serial' },
  uefi: null,
};

/** Values of an option, in order. */
const values = (args: readonly string[], option: string): string[] =>
  args.flatMap((arg, index) => (arg === option ? [args[index + 1] ?? ''] : []));

t.test('under TCG: without CX16 and with one processor, whatever the VM wants', async (t) => {
  const args = qemuArgs(vm, settings);
  t.same(values(args, '-cpu'), ['max,-cx16']);
  t.same(values(args, '-smp'), ['1']);
  t.same(values(args, '-machine'), ['pc,accel=tcg']);
});

t.test('under KVM: the host processor, as many as the VM has, and no fallback', async (t) => {
  const args = qemuArgs(vm, { ...settings, accelerator: 'kvm' });
  t.same(values(args, '-cpu'), ['host']);
  t.same(values(args, '-smp'), ['4']);
  t.same(values(args, '-machine'), ['pc,accel=kvm']);
});

t.test('nothing but what is asked for, and an identity', async (t) => {
  const args = qemuArgs(vm, settings);
  for (const flag of ['-nodefaults', '-no-user-config']) t.ok(args.includes(flag), flag);
  t.notOk(args.includes('-daemonize'), 'a daemon would outlive its parent');
  t.same(values(args, '-uuid'), [vm.uuid]);
  t.same(values(args, '-name'), ['guest=phase9,, image'], 'a comma does not begin an option');
  t.same(values(args, '-m'), ['512M']);
  t.same(values(args, '-vnc'), ['unix:/lab/vm/vnc']);
  t.same(values(args, '-action'), ['reboot=shutdown,shutdown=poweroff,panic=none']);
  t.match(values(args, '-chardev'), [
    'file,id=serial0,append=on,path=/lab/vm,,1/serial',
    /^socket,id=qmp0,path=\/lab\/vm\/qmp,/,
  ]);
});

t.test('disks: by position as numbers, unsafe cache, paths with commas whole', async (t) => {
  const args = qemuArgs(vm, settings);
  const nodes = values(args, '-blockdev').map((text) => JSON.parse(text));
  t.same(
    nodes.map((node) => [node.driver, node.file.filename, node['read-only'], node.cache['no-flush']]),
    [
      ['raw', '/lab/a.raw', false, true],
      ['raw', '/lab/b,1.raw', true, true],
    ],
  );
  t.match(values(args, '-device').slice(0, 2), [
    'virtio-blk-pci,drive=disk0,bootindex=1',
    'virtio-blk-pci,drive=disk1',
  ]);
});

t.test('boot order: only what stands in it is tried', async (t) => {
  const devices = (bootOrder: string): string[] => values(qemuArgs({ ...vm, bootOrder }, settings), '-device');
  t.same(values(qemuArgs(vm, settings), '-boot'), ['strict=on']);
  const network = (bootOrder: string): string => devices(bootOrder).find((device) => device.includes('net')) ?? '';
  t.match(devices('c')[0], /bootindex=1$/);
  t.match(network('c'), /romfile=,/, 'no ROM waits for a network boot');
  t.match(devices('nc')[0], /bootindex=2$/);
  t.match(network('nc'), /bootindex=1,/);
  t.notMatch(devices('n')[0], /bootindex/, 'a disk that the order leaves out');
});

t.test('network: a forward to port 22 where there is an address, isolated, one subnet each', async (t) => {
  const nics = [...vm.nics, { mac: '02:00:00:00:aa:02', address: null, dead: false }];
  const [first, second] = values(qemuArgs({ ...vm, nics }, settings), '-netdev');
  t.match(first, /^user,id=net0,.*restrict=on,net=10\.0\.2\.0\/24,.*hostfwd=tcp:127\.83\.17\.1:2222-:22$/);
  t.match(second, /^user,id=net1,.*net=10\.0\.3\.0\/24/);
  t.notMatch(second, /hostfwd/);
});

t.test('a dead NIC is there, and so is the forward, but nothing joins them', async (t) => {
  const network = (dead: boolean): string => {
    const args = qemuArgs({ ...vm, nics: vm.nics.map((nic) => ({ ...nic, dead })) }, settings);
    t.match(values(args, '-netdev'), [/^user,id=net0,.*hostfwd=tcp:127\.83\.17\.1:2222/], 'it is still accepted');
    return values(args, '-device').find((device) => device.startsWith('virtio-net-pci,mac=02:00:00:00:aa:01')) ?? '';
  };
  t.match(network(false), /,netdev=net0$/);
  t.match(network(true), /^virtio-net-pci/);
  t.notMatch(network(true), /netdev/);
});

t.test('UEFI: its own variables, and an error where there is no firmware', async (t) => {
  const uefi = { codeFile: '/fw/code.fd', variablesFile: '/lab/vm/vars.fd' };
  const args = qemuArgs({ ...vm, firmware: 'uefi' }, { ...settings, uefi });
  t.same(values(args, '-machine'), ['q35,accel=tcg']);
  t.match(values(args, '-drive'), [/unit=0,readonly=on,file=\/fw\/code\.fd$/, /unit=1,file=\/lab\/vm\/vars\.fd$/]);
  t.throws(() => qemuArgs({ ...vm, firmware: 'uefi' }, settings), /firmware uefi needs the path of an OVMF image/);
});

t.test('NICs: virtio, or the model that was ordered', async (t) => {
  const models = (nicType: BackendVm['nicType']) =>
    values(qemuArgs({ ...vm, nicType }, settings), '-device').filter((text) => text.includes('mac='));
  t.match(models(null), [/^virtio-net-pci,mac=02:00:00:00:aa:01,/]);
  t.match(models('e1000'), [/^e1000,mac=02:00:00:00:aa:01,/]);
  t.match(models('rtl8139'), [/^rtl8139,mac=/]);
});
