/**
 * The SR: a directory of sparse raw files, one per disk. Makes, fills, reads, grows, copies and destroys them, and
 * refuses what the XAPI refuses.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ByteReader, StreamEnded } from './byte-reader.ts';
import { CHAIN_MAX, copyFile, refuseLongChain, shareBase, tidyChain } from './copy-on-write.ts';
import { XapiError } from './errors.ts';
import { hasRoomFor } from './figures.ts';
import { type Inventory, newIdentity, type VdiRecord } from './inventory.ts';
import type { Mishaps } from './mishaps.ts';
import { type NewDisk, noSpaceFor } from './new-disk.ts';
import { writeSparse } from './sparse-file.ts';
import { readFooterOrEnd, readVhdBlocks, VhdDamaged } from './vhd.ts';

/** VHD-based SRs make disks in steps of 2 MiB. */
const SIZE_STEP = 2 * 2 ** 20;
/** Xen Orchestra tries ten times to destroy a disk that is in use. */
const DESTROY_TRIES = 10;

export type DiskFormat = 'raw' | 'vhd';

export interface StorageOptions {
  readonly inventory: Inventory;
  readonly mishaps: Mishaps;
  /** Resolves when the pool has been polled; the marks of an import go away after that. */
  readonly polled: () => Promise<void>;
  /** Between two tries to destroy a disk in use, in ms. */
  readonly destroyRetryMs: number;
  readonly log: (line: string) => void;
}

export class Storage {
  readonly #options: StorageOptions;

  constructor(options: StorageOptions) {
    this.#options = options;
  }

  async create(disk: NewDisk): Promise<VdiRecord> {
    const { inventory, mishaps } = this.#options;
    if (mishaps.has('sr-full') || !hasRoomFor(inventory, disk.size)) throw noSpaceFor(disk, inventory.sr.ref);
    const identity = newIdentity();
    const path = join(inventory.options.srPath, `${identity.uuid}.raw`);
    const size = Math.max(1, Math.ceil(disk.size / SIZE_STEP)) * SIZE_STEP;
    const file = await open(path, 'wx', 0o600);
    await file.truncate(size).finally(() => file.close());
    const vdi: VdiRecord = {
      ...identity,
      nameLabel: disk.nameLabel,
      nameDescription: disk.nameDescription ?? '',
      size,
      ...{ usage: 0, inheritedBytes: 0, parent: null },
      path,
      tags: [],
      other: {},
      importing: false,
      snapshot: undefined,
    };
    inventory.vdis.set(vdi.uuid, vdi);
    inventory.touch();
    return vdi;
  }

  /** At once; refused while a running VM has it or content is written to it. */
  async destroy(vdi: VdiRecord): Promise<void> {
    const { inventory, mishaps } = this.#options;
    if (this.inUse(vdi) || mishaps.counts('vdi-in-use')) throw new XapiError('VDI_IN_USE', [vdi.ref, 'destroy']);
    for (const vbd of inventory.vbdsOfVdi(vdi.uuid)) inventory.vbds.delete(vbd.uuid);
    inventory.vdis.delete(vdi.uuid);
    tidyChain(inventory, vdi, !mishaps.has('no-coalesce'));
    inventory.touch();
    await rm(vdi.path, { force: true });
  }

  /** As Xen Orchestra does for its clients: a disk in use is tried again and again, 45 s in all. */
  async destroyPatiently(vdi: VdiRecord): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.destroy(vdi);
      } catch (error) {
        const inUse = error instanceof XapiError && error.code === 'VDI_IN_USE';
        if (!inUse || tries === DESTROY_TRIES) throw error;
        await sleep(this.#options.destroyRetryMs, undefined, { ref: false });
      }
    }
  }

  inUse(vdi: VdiRecord): boolean {
    return vdi.importing || this.#options.inventory.vbdsOfVdi(vdi.uuid).some((vbd) => vbd.attached);
  }

  /**
   * Makes a disk of what comes and of its size; leaves none behind where that fails. `length` is that of the body.
   * @throws VhdFooterInvalid for a VHD that is none, XapiError for what the pool would refuse
   */
  async importNew(
    disk: Omit<NewDisk, 'size'>,
    source: AsyncIterable<Buffer>,
    format: DiskFormat,
    length: number,
  ): Promise<VdiRecord> {
    const reader = new ByteReader(source);
    const footer = format === 'vhd' ? await readFooterOrEnd(reader) : null;
    const vdi = await this.create({ ...disk, size: footer ? footer.currentSize : length });
    try {
      await this.#write(vdi, length, async (file) => {
        if (footer) await readVhdBlocks(reader, footer, (bytes, position) => writeSparse(file, bytes, position));
        else await this.#writeRaw(vdi, file, reader);
      });
      return vdi;
    } catch (error) {
      await this.destroy(vdi);
      throw error;
    }
  }

  /** Replaces the content of a disk; what is not sent reads as zeros. */
  async overwrite(vdi: VdiRecord, source: AsyncIterable<Buffer>, format: DiskFormat, length: number): Promise<void> {
    if (this.inUse(vdi)) throw new XapiError('VDI_IN_USE', [vdi.ref, 'import']);
    const reader = new ByteReader(source);
    const footer = format === 'vhd' ? await readFooterOrEnd(reader) : null;
    const size = footer ? footer.currentSize : length;
    if (size > vdi.size) {
      this.#options.log(`disk ${vdi.uuid}: ${size} bytes do not fit into ${vdi.size}`);
      throw new XapiError('VDI_IO_ERROR', ['Device I/O errors']);
    }
    await this.#write(vdi, length, async (file) => {
      const keepOld = this.#options.mishaps.has('keep-old-blocks');
      if (!keepOld) await file.truncate(0);
      vdi.inheritedBytes = 0;
      await file.truncate(vdi.size);
      const write = (bytes: Buffer, position: number): Promise<unknown> =>
        keepOld ? file.write(bytes, 0, bytes.length, position) : writeSparse(file, bytes, position);
      if (footer) await readVhdBlocks(reader, footer, write);
      else await this.#writeRaw(vdi, file, reader);
    });
  }

  /** The whole disk as raw bytes; refused while a running VM has it. */
  async read(vdi: VdiRecord): Promise<Readable> {
    if (this.inUse(vdi)) throw new XapiError('VDI_IN_USE', [vdi.ref, 'export']);
    return createReadStream(vdi.path, { highWaterMark: 1024 * 1024 });
  }

  async grow(vdi: VdiRecord, size: number): Promise<void> {
    if (this.inUse(vdi)) throw new XapiError('VDI_IN_USE', [vdi.ref, 'resize']);
    const rounded = Math.ceil(size / SIZE_STEP) * SIZE_STEP;
    const file = await open(vdi.path, 'r+');
    await file.truncate(rounded).finally(() => file.close());
    vdi.size = rounded;
    this.#options.inventory.touch();
  }

  async copy(vdi: VdiRecord, disk: Omit<NewDisk, 'size'>): Promise<VdiRecord> {
    const stream = createReadStream(vdi.path, { highWaterMark: 1024 * 1024 });
    try {
      return await this.importNew(disk, stream, 'raw', vdi.size);
    } finally {
      stream.destroy();
    }
  }

  /** A copy-on-write clone; the source goes on beside it. @throws XapiError for a chain that is too long */
  async clone(vdi: VdiRecord, disk: Omit<NewDisk, 'size'>): Promise<VdiRecord> {
    const { inventory, mishaps } = this.#options;
    const max = Number(mishaps.get('sr-chain-max') ?? CHAIN_MAX);
    refuseLongChain(inventory, vdi, max);
    const clone = await this.create({ ...disk, size: vdi.size });
    try {
      await copyFile(vdi.path, clone.path);
      refuseLongChain(inventory, vdi, max); // another clone may have been made meanwhile
      shareBase(inventory, vdi, clone, await bytesOf(clone));
      inventory.touch();
      return clone;
    } catch (error) {
      await this.destroy(clone);
      throw error;
    }
  }

  /** Reads again how much the disk takes. */
  async measure(vdi: VdiRecord): Promise<void> {
    vdi.usage = Math.max(0, (await bytesOf(vdi)) - vdi.inheritedBytes);
    this.#options.inventory.touch();
  }

  async #write(vdi: VdiRecord, length: number, fill: (file: FileHandle) => Promise<void>): Promise<void> {
    const { inventory, mishaps, polled } = this.#options;
    vdi.importing = true;
    vdi.other['xo:import:task'] = newIdentity().uuid;
    vdi.other['xo:import:length'] = String(length);
    inventory.touch();
    const file = await open(vdi.path, 'r+');
    try {
      await fill(file);
      if (mishaps.has('transfer-fails')) throw new XapiError('VDI_IO_ERROR', ['Device I/O errors']);
    } catch (error) {
      throw this.#transferError(vdi, error);
    } finally {
      await file.close();
      vdi.importing = false;
      inventory.touch();
      // Real Xen Orchestra takes its marks away a moment after the reply.
      void polled().then(() => {
        delete vdi.other['xo:import:task'];
        delete vdi.other['xo:import:length'];
        inventory.touch();
      });
    }
    await this.measure(vdi);
  }

  async #writeRaw(vdi: VdiRecord, file: FileHandle, reader: ByteReader): Promise<void> {
    for (;;) {
      const position = reader.position;
      const bytes = await reader.some(Number.MAX_SAFE_INTEGER);
      if (!bytes) return;
      if (position + bytes.length > vdi.size) throw new XapiError('VDI_IO_ERROR', ['Device I/O errors']);
      await writeSparse(file, bytes, position);
    }
  }

  /** The pool says only that the transfer failed; the reason goes to the log. */
  #transferError(vdi: VdiRecord, error: unknown): unknown {
    const unreadable = error instanceof VhdDamaged || error instanceof StreamEnded;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (!unreadable && code !== 'ENOSPC') return error;
    this.#options.log(`disk ${vdi.uuid}: ${error instanceof Error ? error.message : String(error)}`);
    return new XapiError('VDI_IO_ERROR', ['Device I/O errors']);
  }
}

const bytesOf = async ({ path }: VdiRecord): Promise<number> => (await stat(path)).blocks * 512;
