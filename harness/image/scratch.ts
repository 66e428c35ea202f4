/**
 * Room for decompressed images, as long as one invocation needs them. Each is made once, as a sparse file without a
 * name: unlinked as soon as it is open, so that nothing is left of it, whatever ends this process.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../faults/faults.ts';
import { type Bad, DISK_BYTES_MAX } from './disk.ts';
import { SparseFile } from './sparse-file.ts';
import { type Packed, type UnpackOptions, unpack } from './unpack.ts';

/** The largest disk in the largest container: what decompresses to more is no image. */
const UNPACKED_BYTES_MAX = DISK_BYTES_MAX + 1024 ** 3;
/** No room, by the file system, a quota, or the limit of a file's size. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export interface ScratchOptions {
  /** Folder with room for decompressed images; where the workdir is made. */
  readonly dir: string;
  /** For `xz` and `zstd`. Default: that of this process. */
  readonly environment?: UnpackOptions['environment'];
  /** Told how much of a compressed file was read. Bytes. */
  readonly onProgress?: UnpackOptions['onProgress'];
  /** Bytes at which decompressing ends. Default: 2041 GiB. */
  readonly bytesMax?: number;
  /** Default: makes a file in the folder and unlinks it. */
  readonly openFile?: (dir: string) => Promise<FileHandle>;
}

export interface Unpacked {
  /** Belongs to the scratch. */
  readonly file: FileHandle;
  readonly sizeBytes: number;
}

async function nameless(dir: string): Promise<FileHandle> {
  const path = join(dir, `.bootwitness-unpacked-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  return file;
}

export class Scratch {
  readonly #options: ScratchOptions;
  readonly #made = new Map<string, Promise<Unpacked>>();

  constructor(options: ScratchOptions) {
    this.#options = options;
  }

  /**
   * @param key names the file and its state; what was decompressed under it before is given again
   * @param signal ends it early, with its reason
   * @throws Fault BAD_IMAGE as `unpack`, and where it is too large; BAD_WORKDIR where there is no room; PROGRAM_MISSING
   */
  async unpacked(key: string, packed: Packed, bad: Bad, signal?: AbortSignal): Promise<Unpacked> {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const making = this.#make(packed, bad, signal);
    this.#made.set(key, making);
    making.catch(() => this.#made.delete(key));
    return making;
  }

  /** Gives the room back. Disks that were opened from it cannot be read any more. */
  async close(): Promise<void> {
    for (const made of this.#made.values()) {
      const unpacked = await made.catch(() => null); // told where it was asked for
      await unpacked?.file.close();
    }
    this.#made.clear();
  }

  async #make(packed: Packed, bad: Bad, signal: AbortSignal | undefined): Promise<Unpacked> {
    const { environment, dir, onProgress = () => undefined, bytesMax = UNPACKED_BYTES_MAX } = this.#options;
    const file = await (this.#options.openFile ?? nameless)(dir).catch((error: unknown) => {
      throw this.#noRoom(error, bad, 0);
    });
    const sparse = new SparseFile(file);
    try {
      for await (const piece of unpack(packed, { environment, onProgress }, bad)) {
        if (signal?.aborted) throw signal.reason;
        if (sparse.sizeBytes + piece.length > bytesMax) throw bad(`decompressed it is more than ${bytesMax} bytes`);
        await sparse.append(piece);
      }
      await sparse.end();
      return { file, sizeBytes: sparse.sizeBytes };
    } catch (error) {
      await file.close();
      throw this.#noRoom(error, bad, sparse.sizeBytes);
    }
  }

  /** What is not about room is given back as it is. */
  #noRoom(error: unknown, bad: Bad, doneBytes: number): unknown {
    const { dir } = this.#options;
    const syscall = error instanceof Error && 'syscall' in error ? error.syscall : null;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const told = (why: string): Fault => new Fault('BAD_WORKDIR', bad(why).message, { cause: error });
    if (FULL.has(code)) return told(`no room to decompress it in ${dir} (${doneBytes} bytes of it were there)`);
    if (syscall === 'open') return told(`it cannot be decompressed into ${dir} (${code})`);
    return error;
  }
}
