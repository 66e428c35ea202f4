/** Where images are decompressed: once, only when needed, with holes, and nothing is left of it. */
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { badImage } from '../../../harness/image/disk.ts';
import { openDisk, unpackFirst } from '../../../harness/image/open-disk.ts';
import { planImage } from '../../../harness/image/plan.ts';
import { Scratch, type ScratchOptions } from '../../../harness/image/scratch.ts';
import { compress, hasProgram, noise, rawFile } from './disk-files.ts';

const MIB = 1024 * 1024;
const dir = mkdtempSync(join(tmpdir(), 'bootwitness-scratch-'));
t.teardown(() => rmSync(dir, { recursive: true }));
const room = mkdtempSync(join(dir, 'room-'));
const NEVER = new AbortController().signal;
const later = (): number => Date.now() + 60_000;

const raw = await rawFile(join(dir, 'disk.raw'), 64 * MIB, [
  [0, noise(MIB)],
  [40 * MIB, noise(MIB, 2)],
]);
const packed = await compress(raw, 'gz');
const cacheDir = join(dir, 'cache');

async function withScratch<T>(options: Partial<ScratchOptions>, work: (scratch: Scratch) => Promise<T>): Promise<T> {
  const scratch = new Scratch({ dir: room, ...options });
  try {
    return await work(scratch);
  } finally {
    await scratch.close();
  }
}

t.test('once, told, and only where somebody needs the bytes', async (t) => {
  const seen: number[] = [];
  const onProgress = (done: number, total: number): void => void seen.push(done / total);
  const image = await withScratch({ onProgress }, async (scratch) => {
    const planned = await planImage(packed, { cacheDir, scratch, nowMs: later });
    t.equal(seen.at(-1), 1, 'to its end');
    const times = seen.length;
    const disks = [await openDisk(planned, scratch), await openDisk(planned, scratch)];
    const into = Buffer.alloc(MIB);
    for (const disk of disks) {
      await disk.read(into, 40 * MIB);
      t.ok(into.equals(noise(MIB, 2)));
      await disk.close();
    }
    t.equal(seen.length, times, 'planning has decompressed it already');
    t.same(readdirSync(room), [], 'a file without a name: nothing to leave behind');
    return planned;
  });
  t.equal(image.format, 'raw+gz');
  seen.length = 0;
  await withScratch({ onProgress }, async (scratch) => {
    t.same(await planImage(packed, { cacheDir, scratch }), image);
    t.same(seen, [], 'what is remembered is not decompressed');
    await unpackFirst(image, scratch, NEVER);
    t.equal(seen.at(-1), 1);
  });
  t.equal(JSON.parse(JSON.stringify(image)).format, 'raw+gz', 'the plan is data');
});

t.test('holes where there are zeros', async (t) => {
  let file: Awaited<ReturnType<typeof open>> | undefined;
  const openFile = async () => {
    file = await open(join(dir, 'seen'), 'w+');
    return file;
  };
  await withScratch({ openFile }, async (scratch) => {
    await planImage(packed, { cacheDir: '/dev/null/none', scratch });
    const stats = await file?.stat();
    t.equal(stats?.size, 64 * MIB);
    t.ok((stats?.blocks ?? 0) * 512 < 4 * MIB, `${stats?.blocks} sectors of ${(64 * MIB) / 512} are on the disk`);
  });
});

t.test('what stops it, and who is to blame', async (t) => {
  const planning = (options: Partial<ScratchOptions>, path = packed, signal = NEVER) =>
    withScratch(options, (scratch) => planImage(path, { cacheDir: '/dev/null/none', scratch, signal }));
  await t.rejects(planning({ openFile: () => open('/dev/full', 'r+') }), {
    code: 'BAD_WORKDIR',
    message: new RegExp(`^image ${packed}: no room to decompress it in ${room} `),
  });
  await t.rejects(planning({ dir: join(dir, 'nowhere') }), { code: 'BAD_WORKDIR', message: /\(ENOENT\)/ });
  await t.rejects(planning({ bytesMax: 63 * MIB }), {
    code: 'BAD_IMAGE',
    message: /decompressed it is more than 66060288 bytes/,
  });
  for (const by of ['xz', 'zst'] as const) {
    const path = join(dir, `none.${by}`);
    await writeFile(path, Buffer.from(by === 'xz' ? '\xfd7zXZ\0' : '\x28\xb5\x2f\xfd', 'latin1'));
    await t.rejects(planning({ environment: { PATH: '/nowhere' } }, path), {
      code: 'PROGRAM_MISSING',
      message: /the program (xz|zstd) is not on this machine/,
    });
  }
  const stop = new AbortController();
  stop.abort(new Error('interrupted'));
  await t.rejects(planning({}, packed, stop.signal), { message: 'interrupted' });
  t.same(readdirSync(room), []);
});

t.test('a program that is ended from outside says nothing about the image', async (t) => {
  if (!(await hasProgram('zstd'))) return t.comment('zstd is not here');
  const bin = mkdtempSync(join(dir, 'bin-'));
  await writeFile(join(bin, 'zstd'), '#!/bin/sh\nkill -9 $$\n', { mode: 0o755 });
  const path = await compress(raw, 'zst');
  const planned = withScratch({ environment: { PATH: `${bin}:/usr/bin:/bin` } }, (scratch) =>
    planImage(path, { cacheDir: '/dev/null/none', scratch }),
  );
  await t.rejects(planned, { code: 'PROGRAM_MISSING', message: /zstd was ended by SIGKILL/ });
});

t.test('a file that is another one by now is refused before it is decompressed', async (t) => {
  await withScratch({}, async (scratch) => {
    const image = await planImage(packed, { cacheDir: '/dev/null/none', scratch });
    const disk = await openDisk(image, scratch);
    await disk.refuseChanged();
    utimesSync(packed, 1, 1);
    await t.rejects(disk.refuseChanged(), { code: 'BAD_IMAGE', message: /changed since it was planned/ });
    await disk.close();
    await t.rejects(openDisk(image, scratch), { code: 'BAD_IMAGE', message: /changed since it was planned/ });
  });
  t.equal(badImage('x')('y').message, 'image x: y');
});
