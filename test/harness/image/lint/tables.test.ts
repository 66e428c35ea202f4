/** The partition table: each finding on a disk that has it, and on one that has not. */

import { crc32 } from 'node:zlib';
import t from 'tap';
import type { LintFinding } from '../../../../harness/finding.ts';
import { judgeSize } from '../../../../harness/image/lint/size.ts';
import { gptDisk, lint, MIB, mbrEntry, resum, SECTOR, type Slot } from './disks.ts';

const SLOTS: readonly Slot[] = [
  { type: 'efi', atMib: 1, mib: 4 },
  { type: 'freebsdUfs', atMib: 5, mib: 8 },
];
const good = (): Buffer => gptDisk(16, SLOTS);
const LAST = (16 * MIB) / SECTOR - 1;

t.test('a good GPT', async (t) => {
  const found = await lint(good());
  for (const name of ['partition-table', 'protective-mbr', 'gpt-primary', 'gpt-backup', 'partitions', 'size']) {
    t.equal(found.get(name)?.status, 'ok', name);
  }
  t.equal(
    found.get('partition-table')?.seen,
    'GPT: partition 1 (efi system "efi-name"), partition 2 (freebsd-ufs "freebsdUfs-name")',
  );
});

/** Changes a good disk; what is then said of which finding. */
const ROWS: readonly {
  readonly name: string;
  /** Returns another disk, or changes this one. */
  readonly change: (disk: Buffer) => unknown;
  readonly finding: string;
  readonly status: LintFinding['status'];
  readonly says: RegExp;
}[] = [
  {
    ...{ name: 'a byte of the primary header', finding: 'gpt-primary', status: 'broken' },
    change: (disk) => void disk.writeUInt8(1, SECTOR + 57),
    says: /header checksum is .*; the backup is valid/,
  },
  {
    ...{ name: 'a byte of the primary table', finding: 'gpt-primary', status: 'broken' },
    change: (disk) => void disk.writeUInt8(1, 2 * SECTOR + 60),
    says: /table checksum is/,
  },
  {
    ...{ name: 'a primary that says it is elsewhere', finding: 'gpt-primary', status: 'broken' },
    change: (disk) => {
      disk.writeBigUInt64LE(5n, SECTOR + 24);
      resum(disk);
    },
    says: /stands in sector 5/,
  },
  {
    ...{ name: 'a header of no length', finding: 'gpt-primary', status: 'broken' },
    change: (disk) => void disk.writeUInt32LE(0, SECTOR + 12),
    says: /claims a header of 0 bytes/,
  },
  {
    ...{ name: 'a table of 4 GiB', finding: 'gpt-primary', status: 'broken' },
    change: (disk) => {
      disk.writeUInt32LE(0x2000000, SECTOR + 80);
      disk.writeUInt32LE(0, SECTOR + 16);
      disk.writeUInt32LE(crc32(disk.subarray(SECTOR, SECTOR + 92)), SECTOR + 16);
    },
    says: /claims 33554432 entries of 128 bytes/,
  },
  {
    ...{ name: 'no primary', finding: 'gpt-primary', status: 'broken' },
    change: (disk) => void disk.fill(0, SECTOR, 2 * SECTOR),
    says: /there is no GPT header; the backup is valid/,
  },
  {
    ...{ name: 'no backup', finding: 'gpt-backup', status: 'warning' },
    change: (disk) => void disk.fill(0, LAST * SECTOR),
    says: /sector 32767: there is no GPT header/,
  },
  {
    ...{ name: 'a byte of the backup table', finding: 'gpt-backup', status: 'warning' },
    change: (disk) => void disk.writeUInt8(1, (LAST - 32) * SECTOR + 60),
    says: /table checksum is/,
  },
  {
    ...{ name: 'a disk that was grown', finding: 'gpt-backup', status: 'warning' },
    change: (disk) => Buffer.concat([disk, Buffer.alloc(4 * MIB)]),
    says: /in sector 32767, 4.0 MiB before the end/,
  },
  {
    ...{ name: 'a disk that was cut', finding: 'gpt-backup', status: 'broken' },
    change: (disk) => disk.subarray(0, 14 * MIB),
    says: /expected in sector 32767, and the image ends with sector 28671/,
  },
  {
    ...{ name: 'neither copy', finding: 'partition-table', status: 'broken' },
    change: (disk) => {
      disk.writeUInt8(1, SECTOR + 57);
      disk.writeUInt8(1, LAST * SECTOR + 57);
    },
    says: /neither copy is valid/,
  },
  {
    ...{ name: 'a GPT that was wiped', finding: 'partition-table', status: 'broken' },
    change: (disk) => {
      disk.fill(0, SECTOR, 2 * SECTOR);
      disk.fill(0, LAST * SECTOR);
    },
    says: /a protective MBR, but no GPT/,
  },
  {
    ...{ name: 'no protective MBR', finding: 'protective-mbr', status: 'broken' },
    change: (disk) => void disk.fill(0, 446, 510),
    says: /no partition of type 0xEE/,
  },
  {
    ...{ name: 'no signature', finding: 'protective-mbr', status: 'broken' },
    change: (disk) => void disk.fill(0, 510, 512),
    says: /55 AA/,
  },
  {
    ...{ name: 'a hybrid MBR', finding: 'protective-mbr', status: 'warning' },
    change: (disk) => mbrEntry(disk, 1, 0xa5, 2048, 2048),
    says: /also 0xa5/,
  },
  {
    ...{ name: 'partitions that overlap', finding: 'partitions', status: 'broken' },
    change: () => gptDisk(16, [SLOTS[0] as Slot, { type: 'linux', atMib: 4, mib: 4 }]),
    says: /partition 1 .* and partition 2 .* overlap/,
  },
  {
    ...{ name: 'a partition behind the end', finding: 'partitions', status: 'broken' },
    change: () => gptDisk(16, [{ type: 'linux', atMib: 8, mib: 40 }]),
    says: /ends in sector 98303, the disk in 32767/,
  },
  {
    ...{ name: 'a partition that ends before it begins', finding: 'partitions', status: 'broken' },
    change: () => gptDisk(16, [{ type: 'linux', atMib: 8, mib: -1 }]),
    says: /ends before it begins/,
  },
  {
    ...{ name: 'a partition upon the table', finding: 'partitions', status: 'warning' },
    change: () => gptDisk(16, [{ type: 'linux', atMib: 8, mib: 8 }]),
    says: /not within sectors 34 to 32734/,
  },
  {
    ...{ name: 'no partition', finding: 'partition-table', status: 'broken' },
    change: () => gptDisk(16, []),
    says: /GPT without any partition/,
  },
  {
    ...{ name: 'no table, no code', finding: 'partition-table', status: 'broken' },
    change: () => Buffer.alloc(4 * MIB),
    says: /^no partition table$/,
  },
  {
    ...{ name: 'no table, but code', finding: 'partition-table', status: 'warning' },
    change: () => {
      const disk = Buffer.alloc(4 * MIB, 0);
      disk.write('\xeb\x3c', 0, 'latin1');
      disk.writeUInt16LE(0xaa55, 510);
      return disk;
    },
    says: /no partition table; sector 0 holds code/,
  },
  {
    ...{ name: 'a GPT for large sectors', finding: 'partition-table', status: 'broken' },
    change: () => {
      const disk = Buffer.alloc(4 * MIB);
      disk.write('EFI PART', 4096);
      return disk;
    },
    says: /4096 bytes/,
  },
  {
    ...{ name: 'an MBR whose partition is too long', finding: 'partitions', status: 'broken' },
    change: () => mbr([[0xa5, 2048, 99999]]),
    says: /partition 1 \(freebsd\) ends in sector/,
  },
  {
    ...{ name: 'an MBR that is fine', finding: 'partitions', status: 'ok' },
    change: () => mbr([[0xa5, 2048, 4096]]),
    says: /in order/,
  },
  {
    ...{ name: 'an extended partition', finding: 'partitions', status: 'unknown' },
    change: () =>
      mbr([
        [0x83, 2048, 2048],
        [0x05, 4096, 2048],
      ]),
    says: /holds further partitions/,
  },
];

function mbr(entries: readonly (readonly [number, number, number])[]): Buffer {
  const disk = Buffer.alloc(8 * MIB);
  for (const [i, [type, first, sectors]] of entries.entries()) mbrEntry(disk, i, type, first, sectors);
  return disk;
}

for (const { name, change, finding, status, says } of ROWS) {
  t.test(name, async (t) => {
    const disk = good();
    const changed = change(disk);
    const found = (await lint(changed instanceof Buffer ? changed : disk)).get(finding);
    t.equal(found?.status, status);
    t.match(found?.seen, says);
    t.equal(found?.why !== '', status !== 'ok', 'what is wrong has its reason');
    t.equal(found?.remedy !== '', status !== 'ok', 'and its remedy');
  });
}

t.test('size', async (t) => {
  const size = async (disk: Buffer, vdiBytes: number | null) => (await lint(disk, { vdiBytes })).get('size');
  t.match(await size(good(), null), { status: 'ok', seen: '16 MiB (16777216 bytes)' });
  t.match(await size(good(), 16 * MIB), { status: 'ok', seen: '16 MiB (16777216 bytes)' });
  t.match(await size(good(), 15 * MIB), { status: 'broken', seen: /and the VDI has 15728640/ });
  t.match(await size(good(), 20 * MIB), { status: 'warning', seen: /4.0 MiB less than the VDI/ });
  t.match(await size(good(), 17 * MIB), { status: 'ok', seen: /backup GPT is not in the last LBA: harmless/ });
  t.match(await size(gptDisk(15, SLOTS), null), { status: 'ok', seen: /harmless/ });
  t.match(await size(Buffer.alloc(1000), null), { status: 'broken', seen: /no multiple of 512/ });
  const large = { imageBytes: 2040 * 1024 ** 3, vdiBytes: null, hasGpt: true };
  t.equal(judgeSize(large).status, 'ok', 'as much as a VHD holds');
  t.match(judgeSize({ ...large, imageBytes: large.imageBytes + 512 }), {
    status: 'broken',
    seen: /VHD holds 2040 GiB/,
  });
  t.notMatch((await size(mbr([[0x83, 2048, 2048]]), 17 * MIB))?.seen, /GPT/);
});
