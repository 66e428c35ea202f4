/** What is behind the `$sendTo` of `disk.import`: a multipart upload, answered as recorded. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ByteReader } from './byte-reader.ts';
import { XapiError } from './errors.ts';
import { filePart, multipartBoundary } from './multipart.ts';
import { announcedLength, uploadBody } from './upload.ts';
import { VhdFooterInvalid } from './vhd.ts';
import type { World } from './world.ts';

export interface DiskImport {
  readonly nameLabel: string;
  readonly nameDescription: string | undefined;
  /** As given to `disk.import`; only the upload refuses one that it does not know. */
  readonly type: string;
}

const FORMATS: Readonly<Record<string, 'raw' | 'vhd'>> = { iso: 'raw', vhd: 'vhd' };

/** A path that takes the disk once. */
export function importPath(world: World, order: DiskImport): string {
  return world.paths.add((request, response) => receive(world, order, request, response));
}

async function receive(
  world: World,
  order: DiskImport,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const boundary = multipartBoundary(request.headers['content-type']);
  if (boundary === null) {
    response.writeHead(500).end('unknown error');
    return;
  }
  const reader = new ByteReader(uploadBody(world, request));
  try {
    const total = announcedLength(request);
    const part = await filePart(reader, boundary, total ?? 0);
    if (!part) {
      world.log('disk.import: an upload without a part named "file" gets no answer, as in Xen Orchestra');
      return;
    }
    const format = FORMATS[order.type];
    if (!format) {
      throw new Error(`Unknown disk type, expected "iso" or "vhd" (those of the embedded lab), got ${order.type}`);
    }
    if (total === undefined) throw new XapiError('FIELD_TYPE_ERROR', ['virtual_size']);
    const vdi = await world.storage.importNew(order, part.body, format, part.length);
    await reader.drain();
    await world.view.polled();
    response.writeHead(200).end(JSON.stringify({ id: 0, jsonrpc: '2.0', result: vdi.uuid }));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    world.log(`disk.import: ${message}`);
    const shown =
      error instanceof VhdFooterInvalid
        ? `Vhd file had an invalid header AssertionError [ERR_ASSERTION]: ${message}`
        : message;
    const reply = { error: { code: -32000, message: shown }, id: 0, jsonrpc: '2.0' };
    // Answered before the body was read, then the socket is destroyed: the client sees one or the other.
    response.writeHead(500).end(JSON.stringify(reply), () => request.destroy());
  }
}
