/** Decodes the beginning of a disk, as `od -Ax -tx1` printed it, into what its GPT says of itself. */

/** `none`: read, and no GPT there. `unreadable`: the bytes themselves are missing. */
export type GptReading =
  | { readonly state: 'gpt'; readonly diskGuid: string; readonly partitionGuids: readonly string[] }
  | { readonly state: 'none' | 'unreadable'; readonly reason: string };

const SECTOR_BYTES: readonly number[] = [512, 4096];
const SIGNATURE = 'EFI PART';
/** More entries than anybody has; keeps a damaged header from asking for gigabytes. */
const ENTRIES_MAX = 1024;

/** The partition GUIDs come in the table's order, lower case, without those of empty entries. */
export function readGpt(dump: string): GptReading {
  const bytes = undump(dump);
  if (bytes === null) return { state: 'unreadable', reason: 'od said nothing that can be read' };
  for (const sector of SECTOR_BYTES) {
    const header = bytes.subarray(sector, sector + 92);
    if (header.length < 92) return { state: 'unreadable', reason: `only ${bytes.length} bytes could be read` };
    if (header.toString('latin1', 0, 8) === SIGNATURE) return entriesOf(bytes, header, sector);
  }
  return { state: 'none', reason: 'no GPT' };
}

function entriesOf(bytes: Buffer, header: Buffer, sector: number): GptReading {
  const start = Number(header.readBigUInt64LE(72)) * sector;
  const count = header.readUInt32LE(80);
  const size = header.readUInt32LE(84);
  if (size < 128 || count > ENTRIES_MAX)
    return { state: 'none', reason: `damaged GPT: ${count} entries of ${size} bytes` };
  if (start + count * size > bytes.length) {
    return { state: 'unreadable', reason: `the GPT's entries end beyond the ${bytes.length} bytes that were read` };
  }
  const partitionGuids: string[] = [];
  for (let i = 0; i < count; i++) {
    const entry = bytes.subarray(start + i * size, start + (i + 1) * size);
    if (entry.subarray(0, 16).some((byte) => byte !== 0)) partitionGuids.push(guid(entry.subarray(16, 32)));
  }
  return { state: 'gpt', diskGuid: guid(header.subarray(56, 72)), partitionGuids };
}

/** Text form of a GUID: its first three fields are little-endian on disk. */
function guid(raw: Buffer): string {
  const hex = (from: number, to: number): string => raw.toString('hex', from, to);
  const reversed = (from: number, to: number): string => Buffer.from(raw.subarray(from, to)).reverse().toString('hex');
  return [reversed(0, 4), reversed(4, 6), reversed(6, 8), hex(8, 10), hex(10, 16)].join('-');
}

/**
 * od's lines back into bytes. `*` stands for repetitions of the line before it, up to the next
 * offset; the last line is the length alone. Null where offsets and bytes do not fit together.
 */
function undump(dump: string): Buffer | null {
  const parts: Buffer[] = [];
  let length = 0;
  let last: Buffer = Buffer.alloc(0);
  let repeat = false;
  let end: number | null = null;
  for (const line of dump.split('\n')) {
    const [first = '', ...rest] = line.trim().split(/\s+/);
    if (first === '') continue;
    if (end !== null) return null;
    if (first === '*') {
      repeat = true;
      continue;
    }
    if (!/^[0-9a-f]{1,8}$/.test(first) || !rest.every((byte) => /^[0-9a-f]{2}$/.test(byte))) return null;
    const offset = Number.parseInt(first, 16);
    if (offset > 1 << 20) return null;
    while (repeat && length < offset && last.length > 0) {
      parts.push(last);
      length += last.length;
    }
    if (length !== offset) return null;
    repeat = false;
    if (rest.length === 0) end = offset;
    last = Buffer.from(rest.join(''), 'hex');
    parts.push(last);
    length += last.length;
  }
  return end === null || end === 0 ? null : Buffer.concat(parts);
}
