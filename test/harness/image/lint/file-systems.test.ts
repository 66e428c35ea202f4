/** State of file systems: UFS superblocks written from documentation, ext ones by mke2fs. */
import t from 'tap';
import { crc32c } from '../../../../harness/image/lint/crc32c.ts';
import { ext, gptDisk, lint, type Slot } from './disks.ts';
import { ufs } from './ufs-writer.ts';

type Row = readonly [name: string, content: () => Buffer, status: string, says: RegExp];
const stateOf = async (type: Slot['type'], content: Buffer, mib = 8) =>
  (await lint(gptDisk(12, [{ type, atMib: 1, mib, content }]))).get('file-system-1');

const SU = 0x2;
const NEEDSFSCK = 0x4;
const SUJ = 0x8;

/** fs_sblockloc names another place than that it is read from. */
function moved(volume: Buffer): Buffer {
  volume.writeBigInt64LE(262144n, 65536 + 1000);
  return volume;
}

const UFS_ROWS: readonly Row[] = [
  ['clean', () => ufs({ mib: 8, flags: SU | SUJ }), 'ok', /^UFS2 "rootfs", SU\+J, last mounted on \/, clean$/],
  ['UFS1', () => ufs({ mib: 8, version: 1 }), 'ok', /^UFS1 "rootfs", last mounted on \/, clean$/],
  ['without check-hash', () => ufs({ mib: 8, hash: 'none' }), 'ok', /clean/],
  ['not clean', () => ufs({ mib: 8, clean: false }), 'warning', /, not clean/],
  ['not clean, SU', () => ufs({ mib: 8, clean: false, flags: SU }), 'warning', /SU, .*not clean/],
  ['not clean, SU+J', () => ufs({ mib: 8, clean: false, flags: SU | SUJ }), 'warning', /SU\+J, .*not clean/],
  ['in need of fsck', () => ufs({ mib: 8, flags: NEEDSFSCK }), 'warning', /marked as in need of fsck/],
  ['a wrong check-hash', () => ufs({ mib: 8, hash: 'wrong' }), 'warning', /superblock check-hash is/],
  ['larger than the partition', () => ufs({ mib: 8, fragments: 4096 }), 'broken', /16 MiB in a partition of 8.0 MiB/],
  ['an unfinished newfs', () => ufs({ mib: 8, magic: 0x19960408 }), 'broken', /did not finish/],
  ['damaged', () => ufs({ mib: 8, bsize: 7 }), 'broken', /superblock is damaged: blocks of 7/],
  ['a copy that belongs elsewhere', () => moved(ufs({ mib: 8 })), 'broken', /no UFS superblock/],
  ['nothing', () => Buffer.alloc(1), 'broken', /no UFS superblock/],
];
for (const [name, content, status, says] of UFS_ROWS) {
  t.test(`UFS: ${name}`, async (t) => {
    t.match(await stateOf('freebsdUfs', content()), { status, seen: says });
  });
}

t.test('UFS: which unclean ones can be mounted read-write', async (t) => {
  const why = async (flags: number) => (await stateOf('freebsdUfs', ufs({ mib: 8, clean: false, flags })))?.why;
  t.match(await why(0), /refuses to mount it read-write/);
  t.match(await why(SU), /mounts it with a warning/);
  t.match(await why(SU | SUJ), /refuses/);
  t.match(await why(SU | NEEDSFSCK), /refuses/);
});

/** Changes a superblock of mke2fs, and makes its checksum right again. */
const changed = (args: readonly string[], change: (block: Buffer) => unknown, sum = true): Buffer => {
  const volume = ext(8, args);
  const block = volume.subarray(1024, 2048);
  change(block);
  if (sum) block.writeUInt32LE(crc32c(block.subarray(0, 0x3fc)), 0x3fc);
  return volume;
};
const EXT4 = ['-t', 'ext4', '-O', 'metadata_csum', '-L', 'root'];

const EXT_ROWS: readonly Row[] = [
  ['ext4', () => ext(8, EXT4), 'ok', /^ext4 "root", never mounted, clean$/],
  ['ext3', () => ext(8, ['-t', 'ext3']), 'ok', /^ext3, never mounted, clean$/],
  ['ext2', () => ext(8, ['-t', 'ext2', '-M', '/mnt']), 'ok', /^ext2, last mounted on \/mnt, clean$/],
  ['a wrong checksum', () => changed(EXT4, (b) => b.writeUInt32LE(1, 0x30), false), 'broken', /checksum is/],
  ['a change with its checksum', () => changed(EXT4, (b) => b.writeUInt32LE(1, 0x30)), 'ok', /clean/],
  ['errors', () => changed(EXT4, (b) => b.writeUInt16LE(3, 0x3a)), 'warning', /errors were detected/],
  ['not clean', () => changed(EXT4, (b) => b.writeUInt16LE(0, 0x3a)), 'warning', /not clean/],
  [
    'recovery',
    () => changed(EXT4, (b) => b.writeUInt32LE(b.readUInt32LE(0x60) | 4, 0x60)),
    'warning',
    /needs recovery/,
  ],
  ['larger than the partition', () => ext(10, EXT4).subarray(0, 8 << 20), 'broken', /10 MiB in a partition of 8.0 MiB/],
  ['damaged', () => changed(EXT4, (b) => b.writeUInt32LE(50, 0x18)), 'broken', /blocks of 2\^60 bytes/],
];
for (const [name, content, status, says] of EXT_ROWS) {
  t.test(`ext: ${name}`, async (t) => {
    t.match(await stateOf('linux', content()), { status, seen: says });
  });
}

t.test('others are told by their name', async (t) => {
  const word = (at: number, text: string): Buffer => {
    const volume = Buffer.alloc(0x20000);
    volume.write(text, at, 'latin1');
    return volume;
  };
  t.match(await stateOf('linux', word(0, 'XFSB')), { status: 'ok', seen: /^XFS;/ });
  t.match(await stateOf('linux', word(0x10040, '_BHRfS_M')), { status: 'ok', seen: /^btrfs;/ });
  t.match(await stateOf('linux', word(4086, 'SWAPSPACE2')), { status: 'ok', seen: /^Linux swap;/ });
  t.match(await stateOf('linux', word(512, '\x57\x45\x56\x82')), { status: 'unknown', seen: /BSD label/ });
  t.match(await stateOf('freebsdZfs', word(0, '')), { status: 'unknown', seen: /^ZFS/ });
  t.match(await stateOf('linux', word(0, 'what is this')), { status: 'unknown', seen: /no file system that is known/ });
  t.equal(await stateOf('freebsdSwap', word(0, '')), undefined, 'swap is no file system');
});

t.test('a file system without a table around it', async (t) => {
  const found = await lint(ext(8, EXT4));
  t.match(found.get('file-system'), { status: 'ok', seen: /^ext4/ });
  t.match(found.get('partition-table'), { status: 'broken' });
});

t.test('crc32c', async (t) => {
  // Inverted at the end: the check value of CRC-32C, and RFC 3720 B.4 for 32 zeros (AA36918A in wire order).
  t.equal(~crc32c(Buffer.from('123456789')) >>> 0, 0xe3069283);
  t.equal(~crc32c(Buffer.alloc(32)) >>> 0, 0x8a9136aa);
});
