/**
 * The lab's own paths, outside Xen Orchestra's: serial text of a VM, mishaps switched on while it runs, a restart,
 * and a pool that is lost for a while.
 * Credentials are those of REST.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { authenticate } from './authentication.ts';
import { replyError, replyJson, replyNoRoute } from './http-reply.ts';
import type { Json, JsonObject } from './json.ts';
import { MishapMisuse } from './mishaps.ts';
import type { World } from './world.ts';

const BASE = '/embedded/v0';
const BODY_MAX_BYTES = 4096;

export function isEmbeddedPath(path: string): boolean {
  return path.startsWith(`${BASE}/`);
}

async function sendSerial(world: World, response: ServerResponse, id: string): Promise<void> {
  const { uuid } = world.view.need(id, 'VM');
  const text = Buffer.from(await world.machines.serialText(uuid));
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': String(text.length) });
  response.end(text);
}

async function readJson(request: IncomingMessage): Promise<JsonObject> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  const bytes = Buffer.concat(parts);
  if (bytes.length > BODY_MAX_BYTES) throw new MishapMisuse(`body of ${bytes.length} bytes, expected a small object`);
  try {
    const body = JSON.parse(bytes.toString()) as Json;
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as JsonObject;
  } catch (error) {
    throw new MishapMisuse(`expected JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw new MishapMisuse('expected an object { name, value? }; a value of null switches it off');
}

async function setMishap({ mishaps, log }: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { name, value } = await readJson(request);
  if (value === null) mishaps.clear(String(name));
  else mishaps.set(String(name), value === undefined ? undefined : String(value));
  log(`mishap ${String(name)}: ${value === null ? 'off' : 'on'}${value == null ? '' : `, ${String(value)}`}`);
  response.writeHead(204).end();
}

/** Answers one request; never rejects. */
export async function handleEmbedded(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const who = authenticate(world, request);
  if ('error' in who) return replyJson(response, who.status, { error: who.error });
  try {
    const vmId = /^\/vms\/([^/]+)\/serial$/.exec(url.pathname.slice(BASE.length))?.[1];
    if (request.method === 'GET' && vmId !== undefined) return await sendSerial(world, response, vmId);
    if (request.method === 'POST' && url.pathname === `${BASE}/mishaps`) {
      return await setMishap(world, request, response);
    }
    if (request.method === 'POST' && url.pathname === `${BASE}/restart`) {
      response.writeHead(204).end();
      return world.restart(Number(url.searchParams.get('seconds') ?? 2));
    }
    if (request.method === 'POST' && url.pathname === `${BASE}/lose-pool`) {
      response.writeHead(204).end();
      return world.view.hideFor(Number(url.searchParams.get('seconds') ?? 2) * 1000);
    }
    replyNoRoute(request, response);
  } catch (error) {
    if (error instanceof MishapMisuse) replyJson(response, 422, { error: error.message });
    else replyError(response, error);
  }
}
