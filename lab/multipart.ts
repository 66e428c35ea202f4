/** Finds the part named `file` in a `multipart/form-data` body and streams it. */
import type { ByteReader } from './byte-reader.ts';
import { StreamEnded } from './byte-reader.ts';

const HEADERS_MAX_BYTES = 16 * 1024;
const HEADERS_END = Buffer.from('\r\n\r\n');

/** The boundary of a `multipart/form-data` content type; null: it is none. */
export function multipartBoundary(contentType: string | undefined): string | null {
  const match = /^multipart\/form-data\s*;.*?boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType ?? '');
  return match?.[1] ?? match?.[2] ?? null;
}

/** Bytes up to `end`, which is swallowed; the rest goes back into the reader. */
async function* upTo(reader: ByteReader, end: Buffer): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for (;;) {
    const next = await reader.some(Number.MAX_SAFE_INTEGER);
    if (!next) throw new StreamEnded(end.length, reader.position);
    const bytes = held.length === 0 ? next : Buffer.concat([held, next]);
    const at = bytes.indexOf(end);
    if (at >= 0) {
      reader.unread(bytes.subarray(at + end.length));
      if (at > 0) yield bytes.subarray(0, at);
      return;
    }
    const sure = Math.max(0, bytes.length - end.length + 1);
    if (sure > 0) yield bytes.subarray(0, sure);
    held = bytes.subarray(sure);
  }
}

async function readHeaders(reader: ByteReader): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of upTo(reader, HEADERS_END)) {
    parts.push(part);
    length += part.length;
    if (length > HEADERS_MAX_BYTES) throw new Error('headers of a part are too long');
  }
  return Buffer.concat(parts).toString('latin1');
}

export interface FilePart {
  readonly body: AsyncIterable<Buffer>;
  /** Bytes between the start of this body and the end of the request, less what closes the last part. */
  readonly length: number;
}

/**
 * The first part named `file`; null where the body has none.
 * @param total `Content-Length` of the request, in bytes
 */
export async function filePart(reader: ByteReader, boundary: string, total: number): Promise<FilePart | null> {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first delimiter has no line break before it: one is put there, and not counted.
  reader.unread(Buffer.from('\r\n'));
  const start = reader.position;
  for await (const _ of upTo(reader, delimiter));
  for (;;) {
    const next = await reader.exactly(2);
    if (next.toString('latin1') === '--') return null;
    reader.unread(next);
    const headers = await readHeaders(reader);
    const body = upTo(reader, delimiter);
    if (/content-disposition:[^\r\n]*[;\s]name="?file"?(?:[;\s]|$)/i.test(headers)) {
      const closing = delimiter.length + '--\r\n'.length;
      return { body, length: total - (reader.position - start - 2) - closing };
    }
    for await (const _ of body);
  }
}
