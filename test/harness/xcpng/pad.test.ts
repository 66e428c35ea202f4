/** An image made as large as a disk: its GPT is whole, by our own reading and by sfdisk's; the rest is as it was. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import t, { type Test } from 'tap';
import { planImage } from '../../../harness/image/plan.ts';
import { Scratch } from '../../../harness/image/scratch.ts';
import { paddedSource } from '../../../harness/xcpng/pad.ts';
import { makeStandInImage } from '../../../lab/stand-in-image.ts';

const MIB = 1024 * 1024;
const SECTOR = 512;
const dir = mkdtempSync(join(tmpdir(), 'bw-pad-'));
t.teardown(() => rmSync(dir, { recursive: true }));

const scratch = new Scratch({ dir });
const path = join(dir, 'image.raw');
await makeStandInImage(path, {});
const image = await planImage(path, { cacheDir: join(dir, 'cache') });

/** The padded disk as a guest gets it. */
async function padded(sizeBytes: number): Promise<Buffer> {
  const source = await paddedSource(image, sizeBytes, scratch);
  const disk = Buffer.alloc(source.sizeBytes, 'x');
  const opened = await source.open(new AbortController().signal);
  await opened.read(disk, 0);
  await opened.close();
  return disk;
}

/** What is wrong with the GPT of a disk, by the UEFI specification's rules; empty: nothing. */
function wrongs(disk: Buffer): readonly string[] {
  const last = disk.length / SECTOR - 1;
  const wrong: string[] = [];
  for (const [name, at, other] of [
    ['primary', 1, last],
    ['backup', last, 1],
  ] as const) {
    const header = Buffer.from(disk.subarray(at * SECTOR, (at + 1) * SECTOR));
    if (header.toString('latin1', 0, 8) !== 'EFI PART') {
      wrong.push(`${name}: no signature`);
      continue;
    }
    const claimed = header.readUInt32LE(16);
    header.writeUInt32LE(0, 16);
    if (crc32(header.subarray(0, header.readUInt32LE(12))) !== claimed) wrong.push(`${name}: header checksum`);
    if (header.readBigUInt64LE(24) !== BigInt(at)) wrong.push(`${name}: own place`);
    if (header.readBigUInt64LE(32) !== BigInt(other)) wrong.push(`${name}: the other's place`);
    const table = Number(header.readBigUInt64LE(72)) * SECTOR;
    const entries = disk.subarray(table, table + header.readUInt32LE(80) * header.readUInt32LE(84));
    if (crc32(entries) !== header.readUInt32LE(88)) wrong.push(`${name}: checksum of the entries`);
    const lastUsable = Number(header.readBigUInt64LE(48));
    if (lastUsable >= last - 32) wrong.push(`${name}: last usable sector ${lastUsable} reaches into the backup`);
  }
  return wrong;
}

function sfdisk(t: Test, disk: Buffer): void {
  const file = join(dir, 'padded.raw');
  writeFileSync(file, disk);
  try {
    const said = execFileSync('sfdisk', ['--verify', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    t.match(said, /No errors detected/);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    t.comment('sfdisk is not here');
  }
}

for (const [name, sizeBytes] of [
  ['much larger', 12 * MIB],
  ['by one sector', 8 * MIB + SECTOR],
  ['so little that the new copy lies over the old', 8 * MIB + 8 * SECTOR],
  ['as large as it is', 8 * MIB],
] as const) {
  t.test(name, async (t) => {
    const disk = await padded(sizeBytes);
    t.same(wrongs(disk), []);
    sfdisk(t, disk);
    const before = readFileSync(path);
    const changed: number[] = [];
    for (let sector = 0; sector < before.length / SECTOR; sector++) {
      const [start, end] = [sector * SECTOR, (sector + 1) * SECTOR];
      if (before.compare(disk, start, end, start, end) !== 0) changed.push(sector);
    }
    const backup = before.length / SECTOR - 33;
    t.same(
      changed.filter((sector) => sector > 1 && sector < backup),
      [],
      'partitions and table are as they were',
    );
    t.equal(disk.subarray(2 * SECTOR, 34 * SECTOR).compare(before.subarray(2 * SECTOR, 34 * SECTOR)), 0);
  });
}

t.test('the judge says no', async (t) => {
  const grown = Buffer.concat([readFileSync(path), Buffer.alloc(4 * MIB)]);
  t.match(wrongs(grown), [/primary: the other's place/, /backup: no signature/], 'an image with zeros behind it');
});

t.test('only a GPT whose copy is at the end of the image can be moved', async (t) => {
  const cut = join(dir, 'cut.raw');
  writeFileSync(cut, readFileSync(path));
  truncateSync(cut, 9 * MIB);
  const plan = await planImage(cut, { cacheDir: join(dir, 'cache') });
  await t.rejects(paddedSource(plan, 12 * MIB, scratch), {
    code: 'BAD_IMAGE',
    message: /whose backup is at the image's end/,
  });
});
