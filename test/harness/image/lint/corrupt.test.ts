/**
 * Whatever an image claims: the lint ends, throws nothing, and reads no more than it may. Seeded, so that a failure
 * can be repeated: the seed is in its message.
 */
import t from 'tap';
import { lintDisk } from '../../../../harness/image/lint/lint.ts';
import { READ_BYTES_MAX } from '../../../../harness/image/lint/window.ts';
import { diskOver, ext, fat, gptDisk, MIB, mbrEntry, PMBR, pe, resum } from './disks.ts';
import { ufs } from './ufs-writer.ts';

const ROUNDS = 150;

/** mulberry32: small, and the same everywhere. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

const whole = gptDisk(12, [
  { type: 'freebsdBoot', atMib: 1, mib: 0.5, content: Buffer.from('gptboot') },
  { type: 'efi', atMib: 2, mib: 4, content: fat(12, 4, { 'EFI/BOOT/BOOTX64.EFI': pe(), 'EFI/x/long name.y': pe() }) },
  { type: 'freebsdUfs', atMib: 6, mib: 2, content: ufs({ mib: 2 }) },
  { type: 'linux', atMib: 8, mib: 3, content: ext(3, ['-t', 'ext4']) },
]);
PMBR.copy(whole, 0);
const small = Buffer.concat([Buffer.alloc(MIB), fat(12, 4, { 'EFI/BOOT/BOOTX64.EFI': pe() }, ['-s', '4'])]);
mbrEntry(small, 0, 0xef, 2048, 8192, true);

/** Where structures are: mutations elsewhere would hardly ever be seen. */
const PLACES: readonly (readonly [from: number, bytes: number])[] = [
  [0, 1024],
  [1024, 4 * 128],
  [2 * MIB, 40 * 512],
  [6 * MIB + 65536, 1400],
  [8 * MIB + 1024, 1024],
  [whole.length - 33 * 512, 4 * 128],
  [whole.length - 512, 512],
];
const INTERESTING = [0, 1, 0x7f, 0x80, 0xff];

function mutated(seed: number): Buffer {
  const pick = random(seed);
  const disk = Buffer.from(seed % 4 === 0 ? small : whole);
  for (let i = 1 + pick(12); i > 0; i--) {
    const [from, bytes] = PLACES[pick(PLACES.length)] ?? [0, 512];
    const at = (from + pick(bytes)) % (disk.length - 8);
    const value = pick(3) === 0 ? pick(256) : (INTERESTING[pick(INTERESTING.length)] ?? 0);
    disk.fill(value, at, at + 1 + pick(8));
  }
  // Half of them with right checksums: else a changed table is hardly ever believed.
  if (seed % 4 !== 0 && pick(2) === 0) {
    try {
      resum(disk);
    } catch {
      return disk; // the header says that its table lies behind the end
    }
  }
  return disk;
}

t.test(`${ROUNDS} corrupt disks`, async (t) => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const disk = diskOver(mutated(seed));
    for (const firmware of ['bios', 'uefi', null] as const) {
      const { findings, readBytes } = await lintDisk(disk, { firmware, vdiBytes: null });
      if (readBytes > READ_BYTES_MAX + MIB) t.fail(`seed ${seed} read ${readBytes} bytes`);
      if (findings.length === 0) t.fail(`seed ${seed}: no finding`);
      for (const { name, status, seen: what } of findings) {
        seen.add(`${status} ${name}`);
        if (/\p{C}/u.test(what)) t.fail(`seed ${seed}: ${JSON.stringify(what)} could forge a line`);
      }
    }
  }
  for (const expected of ['broken gpt-primary', 'broken partitions', 'broken boot-loader', 'broken file-system-3']) {
    t.ok(seen.has(expected), `${expected} was among them`);
  }
});

t.test('a chain of clusters that bites its tail ends', async (t) => {
  const volume = fat(16, 16, { 'EFI/BOOT/other.efi': pe() });
  const entry = volume.indexOf('BOOT       ');
  const cluster = volume.readUInt16LE(entry + 26);
  const fatAt = volume.readUInt16LE(14) * 512;
  volume.writeUInt16LE(cluster, fatAt + cluster * 2);
  volume.fill(0x41, volume.indexOf('OTHER   EFI') + 32, volume.indexOf('OTHER   EFI') + 33);
  const disk = gptDisk(24, [{ type: 'efi', atMib: 1, mib: 16, content: volume }]);
  const { findings, readBytes } = await lintDisk(diskOver(disk), { firmware: 'uefi', vdiBytes: null });
  t.equal(findings.find(({ name }) => name === 'boot-loader')?.status, 'broken');
  t.ok(readBytes < READ_BYTES_MAX, `${readBytes} bytes read`);
});

t.test('what leads to too much is unknown', async (t) => {
  // 32 volumes, each with a root directory of 2 MiB of used entries and clusters of 64 KiB.
  const boot = Buffer.alloc(3 * MIB, 0x41);
  boot.writeUInt16LE(512, 11);
  boot.writeUInt8(128, 13);
  boot.writeUInt16LE(1, 14);
  boot.writeUInt8(1, 16);
  boot.writeUInt16LE(65535, 17);
  boot.writeUInt16LE(6000, 19);
  boot.writeUInt16LE(8, 22);
  boot.writeUInt16LE(0xaa55, 510);
  const slots = Array.from({ length: 12 }, (_, i) => ({
    type: 'linux' as const,
    atMib: 1 + 3 * i,
    mib: 3,
    content: boot,
  }));
  const { findings, readBytes } = await lintDisk(diskOver(gptDisk(48, slots)), { firmware: 'uefi', vdiBytes: null });
  t.match(
    findings.find(({ name }) => name === 'boot-loader'),
    { status: 'unknown', seen: /8 MiB/ },
  );
  t.ok(readBytes < READ_BYTES_MAX + 3 * MIB);
});

t.test('a disk of any size', async (t) => {
  for (const bytes of [512, 1024, 4096, 8192, 65536]) {
    for (const fill of [0, 0xff]) {
      const { findings } = await lintDisk(diskOver(Buffer.alloc(bytes, fill)), { firmware: null, vdiBytes: null });
      t.ok(findings.length > 0, `${bytes} bytes of ${fill}`);
    }
  }
});
