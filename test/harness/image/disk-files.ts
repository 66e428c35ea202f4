/** For tests: small disks with known content, and the programs that put them into containers. */
import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import type { Compression } from '../../../harness/model.ts';

const run = promisify(execFile);

export type Written = readonly (readonly [number, Buffer | string])[];

/** A sparse file of that many bytes with something written here and there. */
export async function rawFile(path: string, sizeBytes: number, written: Written): Promise<string> {
  const file = await open(path, 'w');
  await file.truncate(sizeBytes);
  for (const [at, bytes] of written) {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    await file.write(buffer, 0, buffer.length, at);
  }
  await file.close();
  return path;
}

/** Bytes that do not compress and are the same each time. */
export function noise(bytes: number, seed = 1): Buffer {
  let state = seed;
  return Buffer.from(
    Uint8Array.from({ length: bytes }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 24;
    }),
  );
}

export const hasProgram = (program: string): Promise<boolean> =>
  run(program, ['--version']).then(
    () => true,
    () => false,
  );

export async function qemuImg(...args: readonly string[]): Promise<string> {
  return (await run('qemu-img', args)).stdout;
}

/** Arguments of `qemu-img convert` for each container. */
export const CONTAINERS = {
  'vhd-fixed': ['-O', 'vpc', '-o', 'subformat=fixed,force_size=on'],
  'vhd-dynamic': ['-O', 'vpc', '-o', 'subformat=dynamic,force_size=on'],
  'qcow2 v2': ['-O', 'qcow2', '-o', 'compat=0.10'],
  'qcow2 v3': ['-O', 'qcow2', '-o', 'compat=1.1'],
  'qcow2 deflate': ['-c', '-O', 'qcow2'],
  'qcow2 zstd': ['-c', '-O', 'qcow2', '-o', 'compression_type=zstd'],
  'qcow2 v2 deflate': ['-c', '-O', 'qcow2', '-o', 'compat=0.10'],
  'qcow2 clusters of 512 bytes': ['-O', 'qcow2', '-o', 'cluster_size=512'],
  'qcow2 clusters of 2 MiB': ['-O', 'qcow2', '-o', 'cluster_size=2M'],
  'qcow2 deflate, clusters of 512 bytes': ['-c', '-O', 'qcow2', '-o', 'cluster_size=512'],
  'qcow2 zstd, clusters of 2 MiB': ['-c', '-O', 'qcow2', '-o', 'cluster_size=2M,compression_type=zstd'],
  'qcow2 metadata allocated before': ['-O', 'qcow2', '-o', 'preallocation=metadata'],
  'qcow2 allocated before': ['-O', 'qcow2', '-o', 'preallocation=falloc'],
  'qcow2 lazy refcounts': ['-O', 'qcow2', '-o', 'lazy_refcounts=on,refcount_bits=64'],
} as const;
export type Container = keyof typeof CONTAINERS;

export async function contain(raw: string, container: Container, into: string): Promise<string> {
  await qemuImg('convert', '-f', 'raw', ...CONTAINERS[container], raw, into);
  return into;
}

/** Compresses with a program that is not ours; gzip is Node's, for want of another reader. */
export async function compress(path: string, by: Compression): Promise<string> {
  const into = `${path}.${by}`;
  if (by === 'gz') await pipeline(createReadStream(path), createGzip({ level: 1 }), createWriteStream(into));
  else if (by === 'xz') await run('xz', ['-0', '--keep', '--force', path]);
  else await run('zstd', ['-q', '-f', '-1', path, '-o', into]);
  return into;
}
