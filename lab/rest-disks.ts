/** REST uploads, downloads and deletion of disks. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { replyJson } from './http-reply.ts';
import type { VdiRecord } from './inventory.ts';
import type { DiskFormat } from './storage.ts';
import { announcedLength, uploadArrives, uploadBody } from './upload.ts';
import type { World } from './world.ts';

export interface RestCall {
  readonly world: World;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
}

/** Refuses what Xen Orchestra cannot take, in its own words. @throws Error */
function bodyLength(request: IncomingMessage): number {
  if (/^application\/x-www-form-urlencoded/i.test(request.headers['content-type'] ?? '')) {
    throw new Error('request entity too large');
  }
  const length = announcedLength(request);
  if (length === undefined) throw new Error('Expected "actual" to be strictly unequal to:\n\nundefined');
  return length;
}

/** `POST /srs/<id>/vdis`: a new disk of the body. */
export async function importDisk(call: RestCall, srId: string): Promise<void> {
  const { world, request, response, query } = call;
  const raw = query.get('raw');
  if (raw !== null && raw !== 'true' && raw !== 'false') {
    return replyJson(response, 422, { error: { raw: { message: 'invalid boolean value', value: raw } }, data: {} });
  }
  uploadArrives(world);
  world.view.need(srId, 'SR');
  const length = bodyLength(request);
  const disk = {
    nameLabel: query.get('name_label') ?? '',
    nameDescription: query.get('name_description') ?? undefined,
  };
  const format = raw === 'true' ? 'raw' : 'vhd';
  const before = Date.now();
  const vdi = await world.storage.importNew(disk, uploadBody(world, request), format, length);
  world.log(`disk ${vdi.uuid}: ${length} bytes of ${format} in ${Date.now() - before} ms, ${vdi.size} bytes large`);
  replyJson(response, 201, { id: vdi.uuid }, { location: `/rest/v0/vdis/${vdi.uuid}` });
}

function vdiRecord(world: World, id: string): VdiRecord {
  const { uuid, _xapiRef } = world.view.need(id, 'VDI');
  return world.inventory.vdi(uuid, _xapiRef);
}

/** `PUT /vdis/<id>.raw|.vhd`: other content for a disk. */
export async function overwriteDisk(call: RestCall, id: string, format: DiskFormat): Promise<void> {
  const { world, request, response } = call;
  uploadArrives(world);
  const vdi = vdiRecord(world, id);
  await world.storage.overwrite(vdi, uploadBody(world, request), format, bodyLength(request));
  response.writeHead(204).end();
}

/** `GET /vdis/<id>.raw`: the content; compressed on the fly for whoever does not say `Accept-Encoding: identity`. */
export async function readDisk(call: RestCall, id: string): Promise<void> {
  const { world, request, response } = call;
  const content = await world.storage.read(vdiRecord(world, id));
  response.setHeader('content-type', 'application/octet-stream');
  const zipped = /\bgzip\b/i.test(String(request.headers['accept-encoding'] ?? ''));
  if (!zipped) return await pipeline(content, response);
  response.setHeader('content-encoding', 'gzip');
  await pipeline(content, createGzip(), response);
}

/** `DELETE /vdis/<id>` */
export async function deleteDisk(call: RestCall, id: string): Promise<void> {
  await call.world.storage.destroyPatiently(vdiRecord(call.world, id));
  call.response.writeHead(204).end();
}
