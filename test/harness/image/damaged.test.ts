/** Files that are cut, damaged or lie: one sentence with the reason, never a crash, a hang or a wrong disk. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import { planImage } from '../../../harness/image/plan.ts';
import { Scratch } from '../../../harness/image/scratch.ts';
import { vhdChecksum } from '../../../harness/image/vhd.ts';
import { compress, contain, hasProgram, noise, qemuImg, rawFile } from './disk-files.ts';

const run = promisify(execFile);
const KIB = 1024;
const MIB = KIB * KIB;
const dir = await mkdtemp(join(tmpdir(), 'bootwitness-damaged-'));
t.teardown(() => rm(dir, { recursive: true }));
t.setTimeout(300_000);
const here = await Promise.all(['qemu-img', 'xz', 'zstd'].map(hasProgram));
const skip = here.includes(false) && 'qemu-img, xz or zstd is not here';

const plan = async (path: string) => {
  const scratch = new Scratch({ dir });
  return planImage(path, { cacheDir: '/dev/null/none', scratch }).finally(() => scratch.close());
};

/** What planning says: the digest, or why not; anything but BAD_IMAGE is thrown. */
async function outcome(path: string): Promise<{ sha256: string } | { why: string }> {
  try {
    return { sha256: (await plan(path)).sha256 };
  } catch (error) {
    if (error instanceof Fault && error.code === 'BAD_IMAGE') return { why: error.message };
    throw error;
  }
}

const raw = await rawFile(join(dir, 'disk.raw'), 3 * MIB + 512, [
  [0, noise(9000)],
  [MIB, noise(200 * KIB, 2)],
  [3 * MIB, noise(512, 3)],
]);
const { sha256 } = await plan(raw);

/** A copy of the file with other bytes in it. */
async function changed(path: string, edit: (bytes: Buffer) => Buffer | undefined): Promise<string> {
  const bytes = await readFile(path);
  const into = join(dir, 'changed');
  await writeFile(into, edit(bytes) ?? bytes);
  return into;
}

/** The footer's checksum put right, so that what it says is all that is wrong. */
function sealFooter(bytes: Buffer, at: number): void {
  bytes.writeUInt32BE(vhdChecksum(bytes.subarray(at, at + 512), 64), at + 64);
}

const footers = (edit: (footer: Buffer) => void) => (bytes: Buffer) => {
  for (const at of bytes.toString('latin1', 0, 8) === 'conectix' ? [0, bytes.length - 512] : [bytes.length - 512]) {
    edit(bytes.subarray(at, at + 512));
    sealFooter(bytes, at);
  }
  return undefined;
};

t.test('a VHD that is cut or lies', { skip }, async (t) => {
  const dynamic = await contain(raw, 'vhd-dynamic', join(dir, 'd.vhd'));
  const fixed = await contain(raw, 'vhd-fixed', join(dir, 'f.vhd'));
  const cases: readonly (readonly [string, string, (bytes: Buffer) => Buffer | undefined, RegExp])[] = [
    ['cut', dynamic, (b) => b.subarray(0, -MIB), /cut or damaged: the footer at its end is missing/],
    ['checksum', dynamic, (b) => void b.writeUInt8(9, b.length - 400), /checksum of the footer at its end/],
    ['copy', dynamic, (b) => void b.writeUInt8(9, 70), /checksum of the copy/],
    ['header', dynamic, (b) => void b.writeUInt8(9, 512 + 900), /checksum of the dynamic header/],
    ['geometry', dynamic, footers((f) => void f.writeUInt32BE(0xff001010, 56)), /geometry of .* bytes, a size of/],
    [
      'size',
      fixed,
      footers((f) => void f.writeBigUInt64BE(4n << 20n, 48)),
      /says 4194304 bytes, before it are 3146240/,
    ],
    ['huge', fixed, footers((f) => void f.writeBigUInt64BE(1n << 60n, 48)), /at most 2040 GiB/],
    ['odd', fixed, footers((f) => void f.writeBigUInt64BE(1000n, 48)), /multiple of 512 bytes/],
    ['table', dynamic, footers((f) => void f.writeBigUInt64BE(1n << 30n, 48)), /table of 2 blocks is too small/],
    ['differencing', dynamic, footers((f) => void f.writeUInt32BE(4, 60)), /differencing VHD/],
    ['type', dynamic, footers((f) => void f.writeUInt32BE(7, 60)), /type that nobody knows \(7\)/],
    ['outside', dynamic, (b) => void b.writeUInt32BE(0x100000, 1536), /reach behind its end/],
    ['twice', dynamic, (b) => void b.copy(b, 1536, 1540, 1544), /two things lie at byte/],
  ];
  for (const [name, path, edit, says] of cases) t.match(await outcome(await changed(path, edit)), { why: says }, name);
});

const LUKS = ['--object', 'secret,id=s,data=x', '-f', 'qcow2', '-o', 'encrypt.format=luks,encrypt.key-secret=s'];
t.test('a qcow2 image that is cut or lies', { skip }, async (t) => {
  const path = await contain(raw, 'qcow2 v3', join(dir, 'q.qcow2'));
  const l1At = Number((await readFile(path)).readBigUInt64BE(40));
  const l2At = (b: Buffer): number => Number(b.readBigUInt64BE(l1At) & 0xfffffffffffe00n);
  const cases: readonly (readonly [string, (bytes: Buffer) => Buffer | undefined, RegExp])[] = [
    ['cut', (b) => b.subarray(0, -200 * KIB), /cut or damaged: a cluster would lie outside/],
    ['head only', (b) => b.subarray(0, 64), /shorter than its header/],
    ['2^60 bytes', (b) => void b.writeBigUInt64BE(1n << 60n, 24), /at most 2040 GiB/],
    ['size and level 1', (b) => void b.writeBigUInt64BE(1n << 38n, 24), /lies: 274877906944 bytes with a level 1/],
    ['clusters', (b) => void b.writeUInt32BE(40, 20), /clusters of 2\^40 bytes/],
    ['level 1 outside', (b) => void b.writeBigUInt64BE(1n << 40n, 40), /level 1 table would lie outside/],
    ['level 2 outside', (b) => void b.writeBigUInt64BE(1n << 40n, l1At), /level 2 table would lie outside/],
    ['refcounts', (b) => void b.writeUInt32BE(0xffffffff, 56), /refcount table of/],
    ['twice', (b) => void b.copy(b, l2At(b) + 16 * 8, l2At(b), l2At(b) + 8), /where something else is/],
    ['over the header', (b) => void b.writeBigUInt64BE(BigInt(l1At), l2At(b)), /where something else is/],
    [
      'unknown feature',
      (b) => void b.writeBigUInt64BE(1n << 40n, 72),
      /unknown incompatible features \(0x10000000000\)/,
    ],
    ['corrupt', (b) => void b.writeBigUInt64BE(2n, 72), /marked as corrupt/],
    ['version', (b) => void b.writeUInt32BE(9, 4), /version 9/],
  ];
  for (const [name, edit, says] of cases) t.match(await outcome(await changed(path, edit)), { why: says }, name);

  const into = join(dir, 'refused.qcow2');
  const made: readonly (readonly [RegExp, ...string[]])[] = [
    [/backing file/, 'create', '-f', 'qcow2', '-b', raw, '-F', 'raw', into],
    [/external data file/, 'create', '-f', 'qcow2', '-o', `data_file=${join(dir, 'data')}`, into, '1M'],
    [/subclusters/, 'create', '-f', 'qcow2', '-o', 'extended_l2=on', into, '1M'],
    [/encrypted/, 'create', ...LUKS, into, '1M'],
  ];
  for (const [says, ...args] of made) {
    await rm(into, { force: true });
    await qemuImg(...args);
    t.match(await outcome(into), { why: says }, String(says));
  }
});

t.test('compressed files that are cut or damaged, or have something behind their end', { skip }, async (t) => {
  for (const by of ['gz', 'xz', 'zst'] as const) {
    const path = await compress(raw, by);
    const says = new RegExp(`^image ${join(dir, 'changed')}: it cannot be decompressed: (gzip|xz|zstd): .`);
    t.match(await outcome(await changed(path, (b) => b.subarray(0, -30))), { why: says }, `${by}, cut`);
    t.match(await outcome(await changed(path, (b) => Buffer.concat([b, noise(99)]))), { why: says }, `${by}, more`);
    const sum = (b: Buffer): undefined => void b.writeUInt8(b.readUInt8(b.length - 6) ^ 1, b.length - 6);
    t.match(await outcome(await changed(path, sum)), { why: says }, `${by}, a bit of its end`);
    t.match(await outcome(await compress(path, by === 'gz' ? 'xz' : 'gz')), { why: /decompressed .*compressed once/ });
  }
  const iso = await rawFile(join(dir, 'iso.raw'), MIB, [[32769, 'CD001']]);
  t.match(await outcome(await contain(iso, 'qcow2 v3', join(dir, 'iso.qcow2'))), { why: /given an ISO 9660 CD image/ });
});

/** Cut there, or with one bit of that byte turned. */
const mutate = (at: number, cut: boolean, bit: number) => (bytes: Buffer) => {
  if (cut) return bytes.subarray(0, at);
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
  return undefined;
};

/** The same each time; a whole number below `below`. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Another reader's opinion of a changed container; null: it refuses, too. */
async function refereed(path: string, format: string): Promise<string | null> {
  const back = join(dir, 'back.raw');
  try {
    await run('qemu-img', ['convert', '-f', format, '-O', 'raw', path, back]);
  } catch {
    return null; // so our digest has no witness, and the test fails
  }
  return createHash('sha256')
    .update(await readFile(back))
    .digest('hex');
}

const ROUNDS = 60;
/** Each costs a process. */
const PACKED_ROUNDS = 30;
const MUTATED = [
  ['qcow2 v3', 'qcow2'],
  ['qcow2 zstd', 'qcow2'],
  ['qcow2 v2 deflate', 'qcow2'],
  ['vhd-dynamic', 'vpc'],
  ['vhd-fixed', 'vpc'],
] as const;
for (const [container, format] of MUTATED) {
  t.test(`mutations of ${container}`, { skip }, async (t) => {
    const path = await contain(raw, container, join(dir, 'm.img'));
    const bytes = await readFile(path);
    const roll = dice(7);
    const refused = { mutations: 0, differ: 0 };
    // Where the structures are: in front, in qcow2's tables, and at the end of a VHD.
    const places = [512, 4096, 2 * 64 * KIB, 5 * 64 * KIB, bytes.length];
    for (let round = 0; round < ROUNDS; round++) {
      const cut = round % 6 === 0;
      const fromEnd = format === 'vpc' && round % 2 === 1;
      const span = Math.min(bytes.length, places[round % places.length] ?? 512);
      const at = fromEnd ? bytes.length - 1 - roll(512) : roll(span);
      const mutant = await changed(path, mutate(at, cut, roll(8)));
      const got = await outcome(mutant);
      if ('why' in got) refused.mutations++;
      else if (got.sha256 !== sha256) {
        refused.differ++;
        // Payload, or a flag that nothing protects: then it is another disk, for others too.
        t.equal(got.sha256, await refereed(mutant, cut ? 'raw' : format), `another disk for all, byte ${at}`);
      }
    }
    t.ok(refused.mutations > 0, `${refused.mutations} of ${ROUNDS} refused, ${refused.differ} are another disk`);
  });
}

for (const by of ['gz', 'xz', 'zst'] as const) {
  t.test(`mutations of ${by}: the same disk, or refused`, { skip }, async (t) => {
    const path = await compress(raw, by);
    const { length } = await readFile(path);
    const roll = dice(11);
    for (let round = 0; round < PACKED_ROUNDS; round++) {
      const at = round % 3 === 0 ? roll(40) : roll(length);
      const cut = round % 6 === 0;
      const got = await outcome(await changed(path, mutate(at, cut, roll(8))));
      if ('sha256' in got && got.sha256 !== sha256) t.fail(`byte ${at}: another disk`);
    }
    t.pass(`${PACKED_ROUNDS} mutations`);
  });
}
