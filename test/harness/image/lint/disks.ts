/**
 * Makes disks for the lint's tests, in memory. GPT, MBR, PE and UFS are written here from their documentation
 * (`synthetic`: no firmware and no FreeBSD has seen them); FAT and ext come from mkfs.fat, mtools and mke2fs.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { LintFinding } from '../../../../harness/finding.ts';
import type { Disk } from '../../../../harness/image/disk.ts';
import { type LintWish, lintDisk } from '../../../../harness/image/lint/lint.ts';

export const SECTOR = 512;
export const MIB = 1024 * 1024;

/** A disk over bytes in memory; what it is asked for is bounded by it, not by the reader. */
export const diskOver = (bytes: Buffer): Disk => ({
  sizeBytes: bytes.length,
  read: async (into, at) => {
    into.fill(0);
    if (at < bytes.length) bytes.copy(into, 0, at, Math.min(bytes.length, at + into.length));
  },
  close: async () => undefined,
});

/** Findings by name. */
export async function lint(bytes: Buffer, wish: Partial<LintWish> = {}): Promise<ReadonlyMap<string, LintFinding>> {
  const { findings } = await lintDisk(diskOver(bytes), { firmware: null, vdiBytes: null, ...wish });
  return new Map(findings.map((finding) => [finding.name, finding]));
}

/** GUIDs as they are stored: the first three fields little-endian. */
export const TYPES = {
  efi: '28732ac11ff8d211ba4b00a0c93ec93b',
  biosBoot: '4861682149646f6e744e656564454649',
  freebsdBoot: '9d6bbd83417fdc11be0b001560b84f0f',
  freebsdUfs: 'b67c6e51cf6ed6118ff800022d09712b',
  freebsdZfs: 'ba7c6e51cf6ed6118ff800022d09712b',
  freebsdSwap: 'b57c6e51cf6ed6118ff800022d09712b',
  linux: 'af3dc60f838472478e793d69d8477de4',
} as const;

export interface Slot {
  readonly type: keyof typeof TYPES;
  readonly atMib: number;
  readonly mib: number;
  readonly content?: Buffer;
  readonly legacyBoot?: boolean;
}

/** A disk with a GPT whose headers, tables and protective MBR are right. */
export function gptDisk(mib: number, slots: readonly Slot[]): Buffer {
  const disk = Buffer.alloc(mib * MIB);
  const last = disk.length / SECTOR - 1;
  const table = Buffer.alloc(128 * 128);
  slots.forEach(({ type, atMib, mib: size, content, legacyBoot }, i) => {
    const entry = table.subarray(i * 128, i * 128 + 128);
    Buffer.from(TYPES[type], 'hex').copy(entry, 0);
    entry.fill(i + 1, 16, 32);
    entry.writeBigUInt64LE(BigInt((atMib * MIB) / SECTOR), 32);
    entry.writeBigUInt64LE(BigInt(((atMib + size) * MIB) / SECTOR - 1), 40);
    entry.writeBigUInt64LE(legacyBoot ? 4n : 0n, 48);
    entry.write(`${type}-name`, 56, 'utf16le');
    content?.copy(disk, atMib * MIB);
  });
  for (const [mine, other, tableAt] of [
    [1, last, 2],
    [last, 1, last - 32],
  ] as const) {
    const header = Buffer.alloc(SECTOR);
    header.write('EFI PART', 0, 'latin1');
    header.writeUInt32LE(0x10000, 8);
    header.writeUInt32LE(92, 12);
    for (const [i, lba] of [mine, other, 34, last - 33].entries()) header.writeBigUInt64LE(BigInt(lba), 24 + 8 * i);
    header.fill(7, 56, 72);
    header.writeBigUInt64LE(BigInt(tableAt), 72);
    header.writeUInt32LE(128, 80);
    header.writeUInt32LE(128, 84);
    header.writeUInt32LE(crc32(table), 88);
    header.writeUInt32LE(crc32(header.subarray(0, 92)), 16);
    header.copy(disk, mine * SECTOR);
    table.copy(disk, tableAt * SECTOR);
  }
  mbrEntry(disk, 0, 0xee, 1, last);
  return disk;
}

/** Writes one of the four entries of an MBR, and the signature. */
export function mbrEntry(
  disk: Buffer,
  index: number,
  type: number,
  first: number,
  sectors: number,
  active = false,
): void {
  const at = 446 + index * 16;
  disk.writeUInt8(active ? 0x80 : 0, at);
  disk.writeUInt8(type, at + 4);
  disk.writeUInt32LE(first, at + 8);
  disk.writeUInt32LE(sectors, at + 12);
  disk.writeUInt16LE(0xaa55, 510);
}

/** Makes the checksums of both headers and tables right again after a change. */
export function resum(disk: Buffer): void {
  for (const at of [SECTOR, disk.length - SECTOR]) {
    const header = disk.subarray(at, at + SECTOR);
    const tableAt = Number(header.readBigUInt64LE(72)) * SECTOR;
    header.writeUInt32LE(crc32(disk.subarray(tableAt, tableAt + 128 * 128)), 88);
    header.writeUInt32LE(0, 16);
    header.writeUInt32LE(crc32(header.subarray(0, 92)), 16);
  }
}

/** Code as FreeBSD's pmbr holds it, as far as the lint can tell: the type that it looks for. `synthetic`. */
export const PMBR = Buffer.concat([Buffer.alloc(300, 0x90), Buffer.from(TYPES.freebsdBoot, 'hex')]);

/** Head of a PE32+ application for x86-64. `synthetic` */
export function pe({ machine = 0x8664, magic = 0x20b, subsystem = 10 } = {}): Buffer {
  const file = Buffer.alloc(1024);
  file.write('MZ', 0, 'latin1');
  file.writeUInt32LE(128, 0x3c);
  file.write('PE\0\0', 128, 'latin1');
  file.writeUInt16LE(machine, 132);
  file.writeUInt16LE(magic, 152);
  file.writeUInt16LE(subsystem, 220);
  return file;
}

function inFolder<T>(use: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'bw-lint-'));
  try {
    return use(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const env = {
  ...process.env,
  MTOOLS_SKIP_CHECK: '1',
  MTOOLSRC: '/dev/null',
  PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
};

/** A volume of mkfs.fat with files put in by mtools. */
export function fat(
  bits: 12 | 16 | 32,
  mib: number,
  files: Readonly<Record<string, Buffer>>,
  more: readonly string[] = [],
) {
  return inFolder((dir) => {
    const image = join(dir, 'fat');
    writeFileSync(image, '');
    truncateSync(image, mib * MIB);
    execFileSync('mkfs.fat', ['-F', String(bits), '-n', 'ESP', ...more, image], { env, stdio: 'ignore' });
    const tree = join(dir, 'tree');
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(tree, dirname(path)), { recursive: true });
      writeFileSync(join(tree, path), content);
    }
    const tops = Object.keys(files).map((path) => path.split('/')[0] ?? '');
    const sources = [...new Set(tops)].map((name) => join(tree, name));
    if (sources.length > 0) execFileSync('mcopy', ['-s', '-i', image, ...sources, '::/'], { env });
    return readFileSync(image);
  });
}

/** A file system of mke2fs. */
export function ext(mib: number, args: readonly string[]): Buffer {
  return inFolder((dir) => {
    const image = join(dir, 'ext');
    execFileSync('mke2fs', ['-q', '-F', ...args, image, `${mib}M`], { env, stdio: 'ignore' });
    return readFileSync(image);
  });
}
