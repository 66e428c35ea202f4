/** Decompresses a file as a stream in bounded memory: gzip by Node, xz and zstd by their programs. */
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Compression } from '../model.ts';
import type { Bad } from './disk.ts';
import { type Environment, unpackByProgram } from './unpack-program.ts';

const READ_BYTES = 256 * 1024;

export interface Packed {
  readonly by: Compression;
  /** Left open. */
  readonly file: FileHandle;
  /** Bytes of the file. */
  readonly sizeBytes: number;
}

export interface UnpackOptions {
  readonly environment: Environment;
  /** Told how much of the file was read. Bytes. */
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Yields the decompressed bytes.
 * @throws Fault BAD_IMAGE where the file is cut, damaged, or has something behind its end; PROGRAM_MISSING
 */
export async function* unpack(
  { by, file, sizeBytes }: Packed,
  { environment, onProgress }: UnpackOptions,
  bad: Bad,
): AsyncGenerator<Buffer, void, undefined> {
  const packed = Readable.from(readUpwards(file, sizeBytes, onProgress, bad), { objectMode: false });
  if (by === 'gz') yield* gunzip(packed, sizeBytes, bad);
  else yield* unpackByProgram(by, packed, environment, bad);
}

/** A read stream of Node's would close the file. */
async function* readUpwards(
  file: FileHandle,
  sizeBytes: number,
  onProgress: UnpackOptions['onProgress'],
  bad: Bad,
): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; ; ) {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, at).catch((error: unknown) => {
      throw bad('it cannot be read', error);
    });
    if (bytesRead === 0) return;
    at += bytesRead;
    onProgress(Math.min(at, sizeBytes), sizeBytes);
    yield buffer.subarray(0, bytesRead);
  }
}

async function* gunzip(packed: Readable, sizeBytes: number, bad: Bad): AsyncGenerator<Buffer, void, undefined> {
  const stream = createGunzip({ chunkSize: READ_BYTES });
  packed.once('error', (error) => stream.destroy(error));
  packed.pipe(stream);
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!code.startsWith('Z_')) throw error;
    const why = code === 'Z_BUF_ERROR' ? 'it is cut' : error instanceof Error ? error.message : code;
    throw bad(`it cannot be decompressed: gzip: ${why}`, error);
  } finally {
    packed.destroy();
    stream.destroy();
  }
  // What follows the last member and is none itself is silently left out by zlib.
  if (stream.bytesWritten < sizeBytes) {
    throw bad(`it cannot be decompressed: gzip: something stands behind its end, at byte ${stream.bytesWritten}`);
  }
}
