/** One disk in every container and compression is one disk: same digest, block map and identity. Made by others. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openDisk } from '../../../harness/image/open-disk.ts';
import { planImage } from '../../../harness/image/plan.ts';
import { Scratch } from '../../../harness/image/scratch.ts';
import { planVhd, vhdStream } from '../../../harness/xcpng/vhd.ts';
import { makeStandInImage } from '../../../lab/stand-in-image.ts';
import { CONTAINERS, type Container, compress, contain, hasProgram, noise, qemuImg, rawFile } from './disk-files.ts';

const MIB = 1024 * 1024;
const dir = await mkdtemp(join(tmpdir(), 'bootwitness-containers-'));
t.teardown(() => rm(dir, { recursive: true }));
t.setTimeout(300_000); // qemu-img syncs what it writes, on machines that are busy
const missing = [];
for (const program of ['qemu-img', 'xz', 'zstd']) if (!(await hasProgram(program))) missing.push(program);
const skip = missing.length > 0 && `not here: ${missing.join(', ')}`;

const scratch = new Scratch({ dir });
t.teardown(() => scratch.close());
const plan = (path: string) => planImage(path, { cacheDir: join(dir, 'cache'), scratch });
const COMPRESSIONS = ['gz', 'xz', 'zst'] as const;
const EVERY = Object.keys(CONTAINERS) as Container[];
const MAIN: readonly Container[] = ['vhd-fixed', 'vhd-dynamic', 'qcow2 v3', 'qcow2 zstd'];

const disks = [
  { name: 'one sector', sizeBytes: 512, at: [0] },
  { name: '1 MiB + 512', sizeBytes: MIB + 512, at: [0, MIB] },
  { name: '2 MiB exactly', sizeBytes: 2 * MIB, at: [2 * MIB - 512] },
  { name: 'an odd multiple of 512', sizeBytes: 9 * MIB + 3 * 512, at: [4 * MIB, 9 * MIB + 1024] },
  { name: 'zeros at the end', sizeBytes: 7 * MIB + 512, at: [70_000, 3 * MIB] },
  { name: 'with a GPT, in all there are', sizeBytes: null, at: [] },
];

for (const { name, sizeBytes, at } of disks) {
  t.test(name, { skip }, async (t) => {
    const raw = join(dir, `${sizeBytes}.raw`);
    if (sizeBytes === null) await makeStandInImage(raw, {});
    else
      await rawFile(
        raw,
        sizeBytes,
        at.map((start, i) => [start, noise(512, i + 1)] as const),
      );
    const { path: _path, fileState: _state, format, sidecar: _sidecar, ...disk } = await plan(raw);
    t.equal(format, 'raw');
    t.equal(disk.identity === null, sizeBytes !== null);
    for (const container of sizeBytes === null ? EVERY : MAIN) {
      const path = await contain(raw, container, join(dir, 'disk.img'));
      t.match(await plan(path), { ...disk, format: container.split(' ')[0] }, container);
      if (sizeBytes !== null || !MAIN.includes(container)) continue;
      for (const by of COMPRESSIONS) {
        const packed = await compress(path, by);
        t.match(await plan(packed), { ...disk, format: `${container.split(' ')[0]}+${by}` }, `${container}+${by}`);
      }
    }
    for (const by of COMPRESSIONS) t.match(await plan(await compress(raw, by)), { ...disk, format: `raw+${by}` });
  });
}

t.test('larger than 2 GiB, sparse', { skip }, async (t) => {
  const sizeBytes = 2200 * MIB + 512;
  const raw = await rawFile(join(dir, 'large.raw'), sizeBytes, [
    [0, noise(4096)],
    [2100 * MIB - 512, noise(70_000, 2)],
    [sizeBytes - 512, noise(512, 3)],
  ]);
  const { sha256, blocks } = await plan(raw);
  t.same(blocks, [0, 1049, 1050, 1100]);
  const qcow2 = await contain(raw, 'qcow2 v3', join(dir, 'large.qcow2'));
  const vhd = await contain(raw, 'vhd-dynamic', join(dir, 'large.vhd'));
  for (const path of [qcow2, vhd, await compress(raw, 'zst'), await compress(qcow2, 'xz')]) {
    t.match(await plan(path), { sha256, blocks, sizeBytes }, path);
  }
});

t.test('what is read is what is there, wherever reading begins', { skip }, async (t) => {
  const sizeBytes = 5 * MIB + 512;
  const raw = await rawFile(join(dir, 'random.raw'), sizeBytes, [
    [100_000, noise(300_000)],
    [4 * MIB - 700, noise(1500, 2)],
  ]);
  const wanted = Buffer.concat([await readFile(raw), Buffer.alloc(MIB)]);
  const starts = [0, 1, 65_535, 99_999, 2 * MIB - 3, 4 * MIB - 701, sizeBytes - 100, sizeBytes + 7];
  for (const container of EVERY) {
    const path = await compress(await contain(raw, container, join(dir, 'random.img')), 'zst');
    const disk = await openDisk(await plan(path), scratch);
    for (const start of starts) {
      for (const bytes of [1, 513, 200_001]) {
        const into = Buffer.alloc(bytes, 'x');
        await disk.read(into, start);
        if (!into.equals(wanted.subarray(start, start + bytes))) t.fail(`${container}: ${bytes} bytes at ${start}`);
      }
    }
    await disk.close();
    t.pass(container);
  }
});

t.test('internal snapshots are left alone', { skip }, async (t) => {
  const raw = await rawFile(join(dir, 'now.raw'), 4 * MIB, [[MIB, noise(MIB)]]);
  const path = await contain(raw, 'qcow2 v3', join(dir, 'snapshot.qcow2'));
  await qemuImg('snapshot', '-c', 'before', path);
  t.match(await plan(path), { sha256: (await plan(raw)).sha256 });
});

t.test('a VHD of ours, with holes in its blocks', async (t) => {
  const raw = await rawFile(join(dir, 'ours.raw'), 5 * MIB, [[0, noise(MIB)]]);
  const image = await plan(raw);
  const disk = await openDisk(image, scratch);
  const pieces: Buffer[] = [];
  for await (const piece of vhdStream(planVhd(image.sizeBytes, image.blocks, image.sha256), disk)) pieces.push(piece);
  await disk.close();
  const bytes = Buffer.concat(pieces);
  const path = join(dir, 'ours.vhd');
  await writeFile(path, bytes);
  t.match(await plan(path), { sha256: image.sha256, format: 'vhd-dynamic' });
  for (const [what, written, says] of [
    ['a sector of zeros', 0b1111_1111_1111_1011, null],
    ['a sector with data', 0b1111_1011_1111_1111, /data in sectors that its bitmap calls unwritten/],
  ] as const) {
    const unwritten = Buffer.from(bytes);
    const bitmapAt = bytes.readUInt32BE(1536) * 512;
    unwritten.writeUInt16BE(written, bitmapAt + (says === null ? 256 : 0));
    await writeFile(path, unwritten);
    if (says === null) t.match(await plan(path), { sha256: image.sha256 }, `${what} may be called unwritten`);
    else await t.rejects(plan(path), { code: 'BAD_IMAGE', message: says }, what);
  }
});
