/** A fresh disk GUID in both headers of a GPT, and refusal where there is no sound GPT. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import t from 'tap';
import { guidBytes, renewDiskGuid } from '../../../lab/guest/recipe/gpt.ts';

const SECTOR = 512;
const SECTORS = 64;
const HEADER_BYTES = 92;
const BACKUP = SECTORS - 1;

function checksum(header: Buffer): number {
  const counted = Buffer.from(header.subarray(0, HEADER_BYTES));
  counted.writeUInt32LE(0, 16);
  return crc32(counted);
}

function headerAt(disk: Buffer, sector: number): Buffer {
  return disk.subarray(sector * SECTOR, (sector + 1) * SECTOR);
}

function blankDisk(): Buffer {
  const disk = Buffer.alloc(SECTORS * SECTOR, 0x5a);
  for (const [own, other] of [
    [1, BACKUP],
    [BACKUP, 1],
  ] as const) {
    const header = headerAt(disk, own).fill(0);
    header.write('EFI PART', 'latin1');
    header.writeUInt32LE(HEADER_BYTES, 12);
    header.writeBigUInt64LE(BigInt(own), 24);
    header.writeBigUInt64LE(BigInt(other), 32);
    header.writeUInt32LE(checksum(header), 16);
  }
  return disk;
}

const folder = await mkdtemp(join(tmpdir(), 'bootwitness-gpt-'));
t.teardown(() => rm(folder, { recursive: true }));
const image = join(folder, 'disk.raw');

t.test('both headers get the same new GUID and right checksums, and nothing else changes', async (t) => {
  const before = blankDisk();
  await writeFile(image, before);
  const guid = await renewDiskGuid(image);
  const after = await readFile(image);
  for (const sector of [1, BACKUP]) {
    const header = headerAt(after, sector);
    t.strictSame(Buffer.from(header.subarray(56, 72)), guidBytes(guid), `GUID in sector ${sector}`);
    t.equal(header.readUInt32LE(16), checksum(header), `checksum in sector ${sector}`);
    headerAt(before, sector).fill(0, 56, 72).fill(0, 16, 20);
    header.fill(0, 56, 72).fill(0, 16, 20);
  }
  t.ok(before.equals(after), 'the rest');
  t.not(await renewDiskGuid(image).catch(String), guid, 'never the same twice');
});

t.test('an image without a sound GPT is refused', async (t) => {
  await writeFile(image, Buffer.alloc(SECTORS * SECTOR));
  await t.rejects(renewDiskGuid(image), { message: /header was expected in sector 1/ });
  const torn = blankDisk();
  torn[SECTOR + 40] = 1;
  await writeFile(image, torn);
  await t.rejects(renewDiskGuid(image), { message: /sector 1 has checksum/ });
  const noBackup = blankDisk();
  headerAt(noBackup, BACKUP).fill(0);
  await writeFile(image, noBackup);
  await t.rejects(renewDiskGuid(image), { message: new RegExp(`expected in sector ${BACKUP}`) });
  t.ok((await readFile(image)).equals(noBackup), 'and is left alone');
});

t.test('byte order', async (t) => {
  t.equal(guidBytes('00112233-4455-6677-8899-aabbccddeeff').toString('hex'), '33221100554477668899aabbccddeeff');
  t.throws(() => guidBytes('0011'), /16 bytes/);
});
