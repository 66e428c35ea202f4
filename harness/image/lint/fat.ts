/**
 * Finds a file in a FAT12, FAT16 or FAT32 volume, read-only and in bounds. Layout, and the rule that tells the three
 * apart by the number of clusters: Microsoft's FAT specification 1.03 (2000), named by the UEFI specification (13.3).
 */
import type { Window } from './window.ts';

const ENTRY_BYTES = 32;
/** Entries of one directory that are looked at; EFI\BOOT has a handful. */
const ENTRIES_MAX = 4096;
const DIRECTORY = 0x10;
const VOLUME_LABEL = 0x08;
const LONG_NAME = 0x0f;
const LAST_LONG_ENTRY = 0x40;
/** Offsets in a directory entry at which the 13 UTF-16 units of a long name stand. */
const LONG_UNITS = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30] as const;

export interface FatFile {
  /** As stored: the long name where there is one. */
  readonly name: string;
  readonly directory: boolean;
  readonly sizeBytes: number;
  readonly firstCluster: number;
}

interface Layout {
  readonly bits: 12 | 16 | 32;
  readonly clusterBytes: number;
  readonly clusters: number;
  readonly fatAt: number;
  /** FAT12 and FAT16: where the root directory lies, and its bytes. */
  readonly rootAt: number;
  readonly rootBytes: number;
  /** FAT32: where it begins. */
  readonly rootCluster: number;
  readonly dataAt: number;
}

const isPowerOf2 = (value: number): boolean => value > 0 && (value & (value - 1)) === 0;

/** @returns null where the boot sector is not that of a FAT volume that fits into the window */
function layoutOf(sector: Buffer, sizeBytes: number): Layout | null {
  if (sector.readUInt16LE(510) !== 0xaa55) return null;
  const [sectorBytes, perCluster] = [sector.readUInt16LE(11), sector.readUInt8(13)];
  const [reserved, fats, rootEntries] = [sector.readUInt16LE(14), sector.readUInt8(16), sector.readUInt16LE(17)];
  const fatSectors = sector.readUInt16LE(22) || sector.readUInt32LE(36);
  const sectors = sector.readUInt16LE(19) || sector.readUInt32LE(32);
  if (!isPowerOf2(sectorBytes) || sectorBytes < 512 || sectorBytes > 4096 || !isPowerOf2(perCluster)) return null;
  if (reserved === 0 || fats === 0 || fats > 4 || fatSectors === 0) return null;
  const rootSectors = Math.ceil((rootEntries * ENTRY_BYTES) / sectorBytes);
  const dataSector = reserved + fats * fatSectors + rootSectors;
  if (dataSector >= sectors || sectors * sectorBytes > sizeBytes) return null;
  const clusters = Math.floor((sectors - dataSector) / perCluster);
  return {
    bits: clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32,
    ...{ clusters, clusterBytes: perCluster * sectorBytes, fatAt: reserved * sectorBytes },
    ...{ rootAt: (reserved + fats * fatSectors) * sectorBytes, rootBytes: rootEntries * ENTRY_BYTES },
    ...{ rootCluster: sector.readUInt32LE(44), dataAt: dataSector * sectorBytes },
  };
}

/** An open volume. */
export class Fat {
  readonly #volume: Window;
  readonly #layout: Layout;

  private constructor(volume: Window, layout: Layout) {
    this.#volume = volume;
    this.#layout = layout;
  }

  /** @returns null where the window holds no FAT volume, or one that is larger than the window */
  static async open(volume: Window): Promise<Fat | null> {
    const layout = layoutOf(await volume.read(0, 512), volume.sizeBytes);
    return layout === null ? null : new Fat(volume, layout);
  }

  /** `FAT16` */
  get type(): string {
    return `FAT${this.#layout.bits}`;
  }

  /** @param path folders, then the file; upper and lower case are one. @returns null: it is not there */
  async find(path: readonly string[]): Promise<FatFile | null> {
    const { bits, rootCluster } = this.#layout;
    let here: FatFile | null = { name: '', directory: true, sizeBytes: 0, firstCluster: bits === 32 ? rootCluster : 0 };
    for (const wanted of path) {
      if (here === null || !here.directory) return null;
      here = await this.#entry(here, wanted.toUpperCase());
    }
    return here;
  }

  /** The first bytes of a file, as many as there are up to `bytes`. */
  async head(file: FatFile, bytes: number): Promise<Buffer> {
    const wanted = Math.min(bytes, file.sizeBytes);
    const pieces: Buffer[] = [];
    let got = 0;
    for await (const piece of this.#pieces(file.firstCluster, wanted)) {
      pieces.push(piece);
      got += piece.length;
      if (got >= wanted) break;
    }
    return Buffer.concat(pieces).subarray(0, wanted);
  }

  async #entry(directory: FatFile, wanted: string): Promise<FatFile | null> {
    let long = new LongName();
    let seen = 0;
    for await (const piece of this.#directory(directory)) {
      for (let at = 0; at + ENTRY_BYTES <= piece.length; at += ENTRY_BYTES) {
        const entry = piece.subarray(at, at + ENTRY_BYTES);
        if (entry[0] === 0 || ++seen > ENTRIES_MAX) return null;
        const attributes = entry.readUInt8(11);
        if (entry[0] === 0xe5) {
          long = new LongName();
        } else if ((attributes & 0x3f) === LONG_NAME) {
          long.add(entry);
        } else {
          const names = [long.of(entry), shortName(entry)];
          long = new LongName();
          const fits = (attributes & VOLUME_LABEL) === 0 && names.some((name) => name?.toUpperCase() === wanted);
          if (fits) return this.#fileOf(entry, names[0] ?? shortName(entry));
        }
      }
    }
    return null;
  }

  #fileOf(entry: Buffer, name: string): FatFile {
    const high = this.#layout.bits === 32 ? entry.readUInt16LE(20) : 0;
    return {
      ...{ name, directory: (entry.readUInt8(11) & DIRECTORY) !== 0, sizeBytes: entry.readUInt32LE(28) },
      firstCluster: high * 0x10000 + entry.readUInt16LE(26),
    };
  }

  /** A subdirectory says cluster 0 where it means the root. */
  async *#directory({ firstCluster }: FatFile): AsyncGenerator<Buffer> {
    const { bits, rootAt, rootBytes, rootCluster } = this.#layout;
    if (firstCluster === 0 && bits !== 32) yield await this.#volume.read(rootAt, rootBytes);
    else yield* this.#pieces(firstCluster === 0 ? rootCluster : firstCluster, ENTRIES_MAX * ENTRY_BYTES);
  }

  /** The clusters of a chain, until it ends, leaves the volume or has given `bytesMax`: a loop ends there too. */
  async *#pieces(firstCluster: number, bytesMax: number): AsyncGenerator<Buffer> {
    const { clusters, clusterBytes, dataAt } = this.#layout;
    let cluster = firstCluster;
    for (let got = 0; got < bytesMax && cluster >= 2 && cluster < clusters + 2; got += clusterBytes) {
      yield await this.#volume.read(dataAt + (cluster - 2) * clusterBytes, clusterBytes);
      cluster = await this.#next(cluster);
    }
  }

  async #next(cluster: number): Promise<number> {
    const { bits, fatAt } = this.#layout;
    const bytes = await this.#volume.read(fatAt + Math.floor((cluster * bits) / 8), 4);
    if (bits === 32) return bytes.readUInt32LE(0) & 0x0fff_ffff;
    const pair = bytes.readUInt16LE(0);
    if (bits === 16) return pair;
    return cluster % 2 === 1 ? pair >> 4 : pair & 0xfff;
  }
}

function shortName(entry: Buffer): string {
  const part = (from: number, to: number): string => entry.toString('latin1', from, to).trimEnd();
  const extension = part(8, 11);
  return extension === '' ? part(0, 8) : `${part(0, 8)}.${extension}`;
}

/** Gathers the entries of a long name, last part first, and believes them only with the right checksum. */
class LongName {
  #text = '';
  #checksum = -1;
  #expected = 0;

  add(entry: Buffer): void {
    const order = entry.readUInt8(0);
    if (order & LAST_LONG_ENTRY) {
      this.#text = '';
      this.#checksum = entry.readUInt8(13);
      this.#expected = order & 0x1f;
    }
    if ((order & 0x1f) !== this.#expected || entry.readUInt8(13) !== this.#checksum) {
      this.#checksum = -1;
      return;
    }
    this.#expected--;
    const units = LONG_UNITS.map((at) => entry.readUInt16LE(at));
    const end = units.indexOf(0);
    this.#text = String.fromCharCode(...units.slice(0, end < 0 ? undefined : end)) + this.#text;
  }

  /** @returns null where no long name belongs to this short entry */
  of(entry: Buffer): string | null {
    let sum = 0;
    for (const byte of entry.subarray(0, 11)) sum = (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff;
    return this.#checksum === sum && this.#expected === 0 && this.#text !== '' ? this.#text : null;
  }
}
