/** What planImage takes, what it refuses and how it says so, and what it remembers. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import t from 'tap';
import { planImage } from '../../../harness/image/plan.ts';
import { makeStandInImage } from '../../../lab/stand-in-image.ts';

const MIB = 1024 * 1024;
const dir = await mkdtemp(join(tmpdir(), 'bootwitness-image-'));
t.teardown(() => rm(dir, { recursive: true }));
const cacheDir = join(dir, 'cache');
/** Long after any file here was written, so that it may be remembered. */
const later = (): number => Date.now() + 60_000;
const plan = (path: string) => planImage(path, { cacheDir, nowMs: later });

async function rawFile(name: string, sizeBytes: number, written: readonly (readonly [number, Buffer | string])[]) {
  const path = join(dir, name);
  const file = await open(path, 'w');
  await file.truncate(sizeBytes);
  for (const [at, bytes] of written) {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    await file.write(buffer, 0, buffer.length, at);
  }
  await file.close();
  return path;
}

/** A primary GPT with the given partition GUIDs (as stored bytes), checksums right. */
function gpt(diskGuid: Buffer, partitions: readonly Buffer[]): { header: Buffer; table: Buffer } {
  const table = Buffer.alloc(128 * 128);
  partitions.forEach((guid, i) => {
    table.fill(0xaa, i * 256, i * 256 + 16); // every second entry is unused
    guid.copy(table, i * 256 + 16);
  });
  const header = Buffer.alloc(512);
  header.write('EFI PART', 0, 'latin1');
  header.writeUInt32LE(0x10000, 8);
  header.writeUInt32LE(92, 12);
  header.writeBigUInt64LE(1n, 24);
  diskGuid.copy(header, 56);
  header.writeBigUInt64LE(2n, 72);
  header.writeUInt32LE(128, 80);
  header.writeUInt32LE(128, 84);
  header.writeUInt32LE(crc32(table), 88);
  header.writeUInt32LE(crc32(header.subarray(0, 92)), 16);
  return { header, table };
}

const STORED = Buffer.from('33221100554477668899aabbccddeeff', 'hex');
const TEXT = '00112233-4455-6677-8899-aabbccddeeff';

t.test('digest and block map', async (t) => {
  const path = await rawFile('plain.raw', 9 * MIB + 512, [
    [0, 'boot'],
    [4 * MIB - 1, 'x'],
    [9 * MIB, 'end'],
  ]);
  const image = await plan(path);
  t.same(image.blocks, [0, 1, 4]);
  t.equal(image.sizeBytes, 9 * MIB + 512);
  t.equal(
    image.sha256,
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex'),
  );
  t.equal(image.identity, null, 'no partition table, no identity');
  t.equal(image.sidecar, null);
});

t.test('GPT', async (t) => {
  const { header, table } = gpt(STORED, [STORED, Buffer.from(STORED).reverse()]);
  const good = await rawFile('gpt.raw', 4 * MIB, [
    [512, header],
    [1024, table],
  ]);
  t.same((await plan(good)).identity, {
    diskGuid: TEXT,
    partitionGuids: [TEXT, 'ccddeeff-aabb-8899-6677-445500112233'],
  });
  const breaks: readonly (readonly [string, number])[] = [
    ['a byte of the header', 512 + 57],
    ['a byte of the table', 1024 + 20],
    ['the signature', 512],
  ];
  for (const [what, at] of breaks) {
    const bad = await rawFile('gpt-bad.raw', 4 * MIB, [
      [512, header],
      [1024, table],
      [at, '!'],
    ]);
    t.equal((await plan(bad)).identity, null, `${what} changed: no identity`);
  }
});

t.test('refusals name what is there', async (t) => {
  const cases: readonly (readonly [string, number, readonly (readonly [number, string])[], RegExp])[] = [
    ['qcow2', MIB, [[0, 'QFI\xfb']], /is a qcow2 image of version 0; expected 2 or 3/],
    ['vhd', MIB, [[0, 'conectix']], /is a VHD that is cut or damaged: the footer at its end is missing/],
    ['fixed-vhd', MIB, [[MIB - 512, 'conectix']], /is a damaged VHD: the checksum of the footer/],
    ['vhdx', MIB, [[0, 'vhdxfile']], /is a VHDX image; expected a raw disk, VHD or qcow2 image/],
    ['vmdk', MIB, [[0, 'KDMV']], /VMDK/],
    ['gz', 1000, [[0, '\x1f\x8b\x08']], /cannot be decompressed: gzip: /],
    ['xz', 1000, [[0, '\xfd7zXZ\0']], /cannot be decompressed: xz: /],
    ['zst', 1000, [[0, '\x28\xb5\x2f\xfd']], /cannot be decompressed: .*zst/],
    ['bz2', 1000, [[0, 'BZh']], /bzip2-compressed; expected .* compressed once by gzip, xz or zstd/],
    ['vdi', MIB, [[64, '\x7f\x10\xda\xbe']], /VirtualBox VDI/],
    ['zip', 1000, [[0, 'PK\x03\x04']], /zip archive/],
    ['iso', MIB, [[32769, 'CD001']], /ISO 9660/],
    ['tar', 10240, [[257, 'ustar']], /tar archive/],
    ['odd', 1000, [[0, 'x']], /multiple of 512 bytes, given 1000 bytes/],
    ['empty', 0, [], /it is empty/],
    ['zeros', MIB, [], /nothing but zeros/],
  ];
  for (const [name, size, written, says] of cases) {
    const path = await rawFile(`bad-${name}`, size, written);
    await t.rejects(plan(path), { code: 'BAD_IMAGE', message: says }, name);
  }
  await t.rejects(plan(join(dir, 'nowhere')), { code: 'BAD_IMAGE', message: /there is no such file/ });
  await t.rejects(plan(dir), { code: 'BAD_IMAGE', message: /given a directory/ });
  await t.rejects(plan('/dev/null'), { code: 'BAD_IMAGE', message: /device or pipe/ });
  await t.rejects(plan(join(dir, 'bad-qcow2', 'x')), { code: 'BAD_IMAGE', message: /ENOTDIR/ });
});

t.test('sidecar', async (t) => {
  const path = await rawFile('side.raw', MIB, [[0, 'x']]);
  const sidecar = (text: string) => writeFile(`${path}.bootwitness.json`, text);
  await sidecar('{"closure": "/frx/store/abc-system", "bootMode": "shepherd-pid1", "builder": "x"}');
  t.same((await plan(path)).sidecar, { closure: '/frx/store/abc-system', bootMode: 'shepherd-pid1' });
  await sidecar('{}');
  t.same((await plan(path)).sidecar, { closure: null, bootMode: null });
  const bad: readonly (readonly [string, RegExp])[] = [
    ['{', /expected JSON/],
    ['[]', /expected an object/],
    ['{"closure": 3}', /closure: expected an absolute path, given 3/],
    ['{"closure": "relative"}', /closure/],
    ['{"bootMode": "systemd"}', /bootMode: expected freebsd-init.*given "systemd"/],
  ];
  for (const [text, says] of bad) {
    await sidecar(text);
    await t.rejects(plan(path), { code: 'BAD_IMAGE', message: says }, text);
  }
  await rm(`${path}.bootwitness.json`);
  await mkdir(`${path}.bootwitness.json`);
  await t.rejects(plan(path), { code: 'BAD_IMAGE', message: /cannot be read/ });
});

t.test('memory', async (t) => {
  const memory = join(dir, 'memory');
  const path = await rawFile('memory.raw', 4 * MIB, [[0, 'one']]);
  const options = { cacheDir: memory, nowMs: later };
  const first = await planImage(path, { cacheDir: memory });
  t.same(await readdir(memory).catch(() => []), [], 'a file written this instant is not remembered');
  t.same(await planImage(path, options), first);
  const [entry] = await readdir(join(memory, 'images'));
  const entryPath = join(memory, 'images', String(entry));

  const planted = JSON.parse(await readFile(entryPath, 'utf8'));
  await writeFile(entryPath, JSON.stringify({ ...planted, blocks: [1] }));
  t.same((await planImage(path, options)).blocks, [1], 'what is remembered is not read again');
  for (const broken of ['', '{', 'null', '{"version":1}', JSON.stringify({ ...planted, sha256: 'x' })]) {
    await writeFile(entryPath, broken);
    t.same(await planImage(path, options), first, `broken memory is ignored: ${broken.slice(0, 20)}`);
  }

  const file = await open(path, 'r+');
  const { mtime, atime } = await file.stat();
  await file.write('two', 0);
  await file.utimes(atime, mtime);
  await file.close();
  t.not((await planImage(path, options)).sha256, first.sha256, 'rewritten under an old mtime is read again');
  await t.resolves(planImage(path, { cacheDir: '/dev/null/nowhere', nowMs: later }), 'no cache is no error');
});

t.test('which firmware finds something to start', async (t) => {
  const path = join(dir, 'both.raw');
  await makeStandInImage(path, {});
  t.same((await plan(path)).startsBy, ['bios', 'uefi']);
  t.same((await plan(path)).startsBy, ['bios', 'uefi'], 'remembered');
  const without = async (name: string, at: number, bytes: number): Promise<string> => {
    const copy = join(dir, name);
    const content = await readFile(path);
    content.fill(0, at, at + bytes);
    await writeFile(copy, content);
    return copy;
  };
  t.same((await plan(await without('no-code.raw', 0, 440))).startsBy, ['uefi'], 'no boot code');
  t.same((await plan(await without('no-gpt.raw', 512, 512))).startsBy, ['bios'], 'no GPT, so no EFI system partition');
  t.same((await plan(await rawFile('data.raw', MIB, [[4096, 'data']]))).startsBy, [], 'neither');
});
