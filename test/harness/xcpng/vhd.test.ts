/** The VHD that is sent: qemu-img is the referee of its content, the plan of its length. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import { BLOCK_BYTES, badImage } from '../../../harness/image/disk.ts';
import { fileDisk } from '../../../harness/image/file-disk.ts';
import { planVhd, type VhdPlan, vhdStream } from '../../../harness/xcpng/vhd.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;
const ZERO_SHA = '00'.repeat(32);

const dir = await mkdtemp(join(tmpdir(), 'bootwitness-vhd-'));
t.teardown(() => rm(dir, { recursive: true }));
const hasQemuImg = await run('qemu-img', ['--version']).then(
  () => true,
  () => false,
);

async function rawFile(name: string, sizeBytes: number, written: readonly { at: number; bytes: Buffer }[]) {
  const path = join(dir, name);
  const file = await open(path, 'w');
  await file.truncate(sizeBytes);
  for (const { at, bytes } of written) await file.write(bytes, 0, bytes.length, at);
  await file.close();
  return path;
}

async function write(plan: VhdPlan, rawPath: string, vhdPath: string): Promise<number> {
  const raw = await open(rawPath);
  const vhd = await open(vhdPath, 'w');
  let sent = 0;
  for await (const piece of vhdStream(plan, fileDisk(raw, plan.sizeBytes, badImage(rawPath)))) {
    await vhd.write(piece);
    sent += piece.length;
  }
  await raw.close();
  await vhd.close();
  return sent;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path);
  for await (const piece of file.createReadStream()) hash.update(piece as Buffer);
  return hash.digest('hex');
}

const noise = (bytes: number): Buffer => Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + 1) & 0xff));

const disks = [
  { name: '1 MiB + 512', sizeBytes: MIB + 512, at: [0, MIB], blocks: [0] },
  { name: '2 MiB exactly', sizeBytes: 2 * MIB, at: [2 * MIB - 512], blocks: [0] },
  { name: 'an odd multiple of 512', sizeBytes: 9 * MIB + 3 * 512, at: [4 * MIB, 9 * MIB + 1024], blocks: [2, 4] },
  { name: 'nothing but zeros', sizeBytes: 5 * MIB, at: [], blocks: [] },
  { name: 'a last block that is partial', sizeBytes: 7 * MIB, at: [0, 7 * MIB - 512], blocks: [0, 3] },
  { name: '226 MiB, sparse', sizeBytes: 226 * MIB, at: [0, 100 * MIB, 226 * MIB - 512], blocks: [0, 50, 112] },
] as const;

for (const disk of disks) {
  t.test(disk.name, async (t) => {
    const raw = await rawFile(
      'disk.raw',
      disk.sizeBytes,
      disk.at.map((at) => ({ at, bytes: noise(512) })),
    );
    const plan = planVhd(disk.sizeBytes, disk.blocks, ZERO_SHA);
    const vhd = join(dir, 'disk.vhd');
    t.equal(await write(plan, raw, vhd), plan.lengthBytes, 'the announced length is the sent length');
    if (!hasQemuImg) return t.comment('qemu-img is not here: content not refereed');
    const { stdout } = await run('qemu-img', ['info', '--output=json', '-f', 'vpc', vhd]);
    t.equal(JSON.parse(stdout)['virtual-size'], disk.sizeBytes, 'qemu-img takes the exact size');
    const back = join(dir, 'back.raw');
    await run('qemu-img', ['convert', '-f', 'vpc', '-O', 'raw', vhd, back]);
    t.equal(await sha256(back), await sha256(raw), 'and gives the same bytes back');
  });
}

t.test('the referee says no', { skip: !hasQemuImg && 'qemu-img is not here' }, async (t) => {
  const sizeBytes = 9 * MIB + 3 * 512;
  const raw = await rawFile('referee.raw', sizeBytes, [{ at: 4 * MIB, bytes: noise(512) }]);
  const vhd = join(dir, 'referee.vhd');
  await write(planVhd(sizeBytes, [], ZERO_SHA), raw, vhd);
  const back = join(dir, 'referee-back.raw');
  await run('qemu-img', ['convert', '-f', 'vpc', '-O', 'raw', vhd, back]);
  t.not(await sha256(back), await sha256(raw), 'a block left out is seen');

  const bytes = await readFile(vhd);
  for (const start of [0, bytes.length - 512]) {
    bytes.write('vpc ', start + 28, 'latin1');
    bytes.writeUInt32BE(0, start + 64);
    let sum = 0;
    for (const byte of bytes.subarray(start, start + 512)) sum += byte;
    bytes.writeUInt32BE(~sum >>> 0, start + 64);
  }
  await writeFile(vhd, bytes);
  const { stdout } = await run('qemu-img', ['info', '--output=json', '-f', 'vpc', vhd]);
  t.not(JSON.parse(stdout)['virtual-size'], sizeBytes, 'another creator application loses the exact size');
});

t.test('layout', async (t) => {
  const plan = planVhd(5 * MIB, [0, 2], ZERO_SHA);
  t.equal(plan.head.subarray(0, 512).compare(plan.footer), 0, 'the copy in front is the footer');
  const table = plan.head.subarray(1536);
  t.equal(table.length, 512);
  t.equal(table.readUInt32BE(0), 4, 'first block after 512 + 1024 + 512 bytes');
  t.equal(table.readUInt32BE(4), 0xffffffff, 'a block of zeros is not there');
  t.equal(table.readUInt32BE(8), 4 + 1 + 4096, 'second block after bitmap and data of the first');
  t.equal(plan.lengthBytes, 2048 + 2 * (512 + BLOCK_BYTES) + 512);
});

t.test('refusals', async (t) => {
  const bad = (sizeBytes: number): unknown => {
    try {
      return planVhd(sizeBytes, [], ZERO_SHA);
    } catch (error) {
      return error instanceof Fault ? error.code : error;
    }
  };
  t.equal(bad(1000), 'BAD_IMAGE');
  t.equal(bad(0), 'BAD_IMAGE');
  t.equal(bad(2041 * 1024 * MIB), 'BAD_IMAGE');
  t.throws(() => planVhd(4 * MIB, [1, 0], ZERO_SHA), /ascending/);
  t.throws(() => planVhd(4 * MIB, [2], ZERO_SHA), /below 2/);

  const raw = await rawFile('short.raw', 2 * MIB, []);
  await t.rejects(write(planVhd(4 * MIB, [0, 1], ZERO_SHA), raw, join(dir, 'short.vhd')), { code: 'BAD_IMAGE' });
});
