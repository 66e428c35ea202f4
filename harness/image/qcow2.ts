/**
 * Reads a qcow2 image, versions 2 and 3, also with compressed clusters and internal snapshots (which are left alone).
 * Sections named here are those of "docs/interop/qcow2.txt" of QEMU. Every table is judged when it is first read.
 */
import { ClaimedClusters } from './claimed-clusters.ts';
import { type Inflate, openInflate } from './cluster-inflate.ts';
import { type Bad, type Disk, SECTOR } from './disk.ts';
import { bytesOf } from './file-disk.ts';
import { type Qcow2Header, readQcow2Header } from './qcow2-header.ts';

/** Bits 9 - 55: the place of a table or cluster in the file ("L1 table entry", "Standard Cluster Descriptor"). */
const OFFSET = 0x00ff_ffff_ffff_fe00n;
const COMPRESSED = 1n << 62n;
/** Version 3: the cluster reads as zeros. */
const ZERO = 1n;
const REFCOUNT_IS_ONE = 1n << 63n;

/** @throws Fault BAD_IMAGE as `readQcow2Header`; later reads, where a table or cluster lies outside the file */
export async function openQcow2(file: Disk, bad: Bad): Promise<Disk> {
  const header = await readQcow2Header(file, bad);
  const inflate = await openInflate(header.compression);
  const image = new Qcow2(file, header, inflate, bad);
  await image.claimMetadata();
  return { ...file, sizeBytes: header.sizeBytes, read: (into, at) => image.read(into, at) };
}

class Qcow2 {
  readonly #file: Disk;
  readonly #header: Qcow2Header;
  readonly #inflate: Inflate;
  readonly #bad: Bad;
  readonly #claimed = new ClaimedClusters();
  /** Numbers of the level 2 tables that were judged. */
  readonly #judged = new Set<number>();
  #l1: Buffer = Buffer.alloc(0);
  /** Reading goes upwards: the last one is enough. */
  #l2: { readonly number: number; readonly entries: Buffer | null } = { number: -1, entries: null };
  #inflated: { readonly descriptor: bigint; readonly bytes: Buffer } | null = null;

  constructor(file: Disk, header: Qcow2Header, inflate: Inflate, bad: Bad) {
    this.#file = file;
    this.#header = header;
    this.#inflate = inflate;
    this.#bad = bad;
  }

  /** Nothing of the disk can lie where the header and the tables are. */
  async claimMetadata(): Promise<void> {
    const { l1At, l1Entries, refcountTableAt, refcountTableBytes, clusterBytes } = this.#header;
    this.#claim(0, 1, 'the header');
    this.#claim(l1At, l1Entries * 8, 'the level 1 table');
    this.#claim(refcountTableAt, refcountTableBytes, 'the refcount table');
    const refcounts = await bytesOf(this.#file, refcountTableAt, refcountTableBytes);
    for (let at = 0; at < refcountTableBytes; at += 8) {
      const blockAt = refcounts.readBigUInt64BE(at);
      if (blockAt !== 0n) this.#claim(this.#placed(blockAt, clusterBytes, 'refcount block'), 1, 'a refcount block');
    }
    this.#l1 = await bytesOf(this.#file, l1At, l1Entries * 8);
  }

  async read(into: Buffer, at: number): Promise<void> {
    const { sizeBytes, clusterBytes } = this.#header;
    for (let done = 0; done < into.length; ) {
      const inCluster = (at + done) % clusterBytes;
      const piece = into.subarray(done, done + Math.min(into.length - done, clusterBytes - inCluster));
      const inside = Math.max(0, Math.min(piece.length, sizeBytes - at - done));
      if (inside > 0)
        await this.#readCluster(piece.subarray(0, inside), Math.floor((at + done) / clusterBytes), inCluster);
      piece.fill(0, inside);
      done += piece.length;
    }
  }

  async #readCluster(into: Buffer, cluster: number, inCluster: number): Promise<void> {
    const perTable = this.#header.clusterBytes / 8;
    const table = await this.#table(Math.floor(cluster / perTable));
    const entry = table?.readBigUInt64BE((cluster % perTable) * 8) ?? 0n;
    if ((entry & COMPRESSED) !== 0n) {
      const bytes = await this.#compressed(entry);
      bytes.copy(into, 0, inCluster, inCluster + into.length);
    } else if ((entry & OFFSET) === 0n || (entry & ZERO) !== 0n) into.fill(0);
    else await this.#file.read(into, Number(entry & OFFSET) + inCluster);
  }

  /** @returns null: the table is not there, and all of its clusters are zeros */
  async #table(number: number): Promise<Buffer | null> {
    if (this.#l2.number === number) return this.#l2.entries;
    const { clusterBytes } = this.#header;
    const entry = this.#l1.readBigUInt64BE(number * 8);
    if ((entry & ~(OFFSET | REFCOUNT_IS_ONE)) !== 0n) throw this.#damaged('reserved bits in its level 1 table');
    const at = this.#placed(entry & OFFSET, clusterBytes, 'level 2 table');
    const entries = at === 0 ? null : await bytesOf(this.#file, at, clusterBytes);
    if (entries !== null && !this.#judged.has(number)) {
      this.#claim(at, clusterBytes, 'a level 2 table');
      this.#judge(entries, number);
    }
    this.#judged.add(number);
    this.#l2 = { number, entries };
    return entries;
  }

  /** "L2 table entry": each is told to lie in the file, alone where it lies. */
  #judge(entries: Buffer, number: number): void {
    const { sizeBytes, clusterBytes, version } = this.#header;
    for (let index = 0; index < clusterBytes / 8; index++) {
      const entry = entries.readBigUInt64BE(index * 8);
      const left = sizeBytes - (number * (clusterBytes / 8) + index) * clusterBytes;
      if (left <= 0 || entry === 0n) continue;
      if ((entry & COMPRESSED) !== 0n) {
        if ((entry & REFCOUNT_IS_ONE) !== 0n) throw this.#damaged('a compressed cluster that is marked as standard');
        this.#extent(entry);
        continue;
      }
      const flags = REFCOUNT_IS_ONE | (version === 3 ? ZERO : 0n);
      if ((entry & ~(OFFSET | flags)) !== 0n) throw this.#damaged('reserved bits in a level 2 table');
      const at = this.#placed(entry & OFFSET, Math.min(clusterBytes, left), 'cluster');
      if (at !== 0) this.#claim(at, 1, 'a cluster');
    }
  }

  /** "Compressed Clusters Descriptor": place and length of the deflated or zstd bytes, the last sector taken whole. */
  #extent(entry: bigint): { readonly at: number; readonly bytes: number } {
    const placeBits = BigInt(62 - (this.#header.clusterBits - 8));
    const at = Number(entry & ((1n << placeBits) - 1n));
    const sectors = Number((entry & (COMPRESSED - 1n)) >> placeBits) + 1;
    const bytes = Math.min(sectors * SECTOR - (at % SECTOR), this.#file.sizeBytes - at);
    if (at < this.#header.clusterBytes || bytes <= 0) throw this.#outside('compressed cluster');
    return { at, bytes };
  }

  async #compressed(entry: bigint): Promise<Buffer> {
    if (this.#inflated?.descriptor === entry) return this.#inflated.bytes;
    const { at, bytes } = this.#extent(entry);
    const inflated = this.#inflate(await bytesOf(this.#file, at, bytes), this.#header.clusterBytes);
    if (inflated === null) throw this.#damaged(`the compressed cluster at byte ${at} of the file cannot be unpacked`);
    this.#inflated = { descriptor: entry, bytes: inflated };
    return inflated;
  }

  /** @returns the place as a number; 0: nothing is there */
  #placed(at: bigint, bytes: number, what: string): number {
    if (at % BigInt(this.#header.clusterBytes) !== 0n)
      throw this.#damaged(`a ${what} is not at the start of a cluster`);
    if (at > 0n && at + BigInt(bytes) > this.#file.sizeBytes) throw this.#outside(what);
    return Number(at);
  }

  #claim(at: number, bytes: number, what: string): void {
    const { clusterBytes } = this.#header;
    for (let cluster = at / clusterBytes; cluster * clusterBytes < at + bytes; cluster++) {
      if (!this.#claimed.claim(cluster)) {
        throw this.#damaged(`${what} lies at byte ${cluster * clusterBytes} of the file, where something else is`);
      }
    }
  }

  readonly #damaged = (how: string): Error => this.#bad(`it is a damaged qcow2 image: ${how}`);
  readonly #outside = (what: string): Error =>
    this.#bad(`it is a qcow2 image that is cut or damaged: a ${what} would lie outside the file`);
}
