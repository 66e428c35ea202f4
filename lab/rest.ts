/** REST below `/rest/v0`: credentials, routes, collections of objects, errors. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { authenticate } from './authentication.ts';
import { unauthorized } from './errors.ts';
import { objectFilter } from './filter.ts';
import { replyError, replyJson, replyNoRoute } from './http-reply.ts';
import type { Json, XoObject } from './json.ts';
import { METHODS } from './methods/index.ts';
import { deleteDisk, importDisk, overwriteDisk, type RestCall, readDisk } from './rest-disks.ts';
import type { World } from './world.ts';

const BASE = '/rest/v0';

/** Collection → type of its objects. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  hosts: 'host',
  networks: 'network',
  pbds: 'PBD',
  pifs: 'PIF',
  pools: 'pool',
  srs: 'SR',
  vbds: 'VBD',
  'vdi-snapshots': 'VDI-snapshot',
  vdis: 'VDI',
  vifs: 'VIF',
  'vm-snapshots': 'VM-snapshot',
  'vm-templates': 'VM-template',
  vms: 'VM',
};

type Route = (call: RestCall, ...captures: string[]) => Promise<void> | void;

function listObjects({ world, response, query }: RestCall, collection: string): void {
  const type = COLLECTIONS[collection];
  const filter = objectFilter(query.get('filter') ?? undefined);
  const limit = Number(query.get('limit') ?? Infinity);
  const objects = world.view.all().filter((object) => object.type === type && filter(object));
  const href = (object: XoObject) => `${BASE}/${collection}/${object.id}`;
  const fields = query.get('fields');
  const listed = objects.slice(0, limit).map((object): Json => {
    if (fields === null) return href(object);
    if (fields === '*') return { ...object, href: href(object) };
    const picked: Record<string, Json> = {};
    for (const field of fields.split(',')) if (object[field] !== undefined) picked[field] = object[field];
    return { ...picked, href: href(object) };
  });
  if (query.get('ndjson') === 'true') {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.end(listed.map((one) => `${JSON.stringify(one)}\n`).join(''));
  } else replyJson(response, 200, listed);
}

function showObject({ world, response }: RestCall, collection: string, id: string): void {
  replyJson(response, 200, world.view.need(id, COLLECTIONS[collection]));
}

/** `DELETE` of a VM or template does what `vm.delete` does. */
async function deleteVm({ world, response }: RestCall, collection: string, id: string): Promise<void> {
  const object = world.view.need(id, COLLECTIONS[collection]);
  const refuse = () => {
    throw new Error('a request of REST has no session to change');
  };
  const call = { world, user: null, objects: { id: object }, signedIn: refuse, mayAdminister: () => undefined };
  await METHODS['vm.delete']?.run({ id }, call);
  response.writeHead(204).end();
}

/** Method and path below the base; the first that fits is taken. */
const ROUTES: readonly (readonly [string, RegExp, Route])[] = [
  ['POST', /^\/srs\/([^/]+)\/vdis$/, importDisk],
  ['PUT', /^\/vdis\/([^/]+)\.raw$/, (call, id = '') => overwriteDisk(call, id, 'raw')],
  ['PUT', /^\/vdis\/([^/]+)\.vhd$/, (call, id = '') => overwriteDisk(call, id, 'vhd')],
  ['GET', /^\/vdis\/([^/]+)\.raw$/, readDisk],
  ['DELETE', /^\/vdis\/([^/.]+)$/, deleteDisk],
  ['DELETE', /^\/(vms|vm-templates|vm-snapshots)\/([^/]+)$/, deleteVm],
  ['GET', /^\/([a-z-]+)$/, listObjects],
  ['GET', /^\/([a-z-]+)\/([^/.]+)$/, showObject],
];

function findRoute(method: string, path: string): readonly [Route, string[]] | null {
  for (const [wanted, pattern, route] of ROUTES) {
    const match = method === wanted ? pattern.exec(path) : null;
    const captures = match?.slice(1).map(decodeURIComponent);
    const isCollection = route === listObjects || route === showObject;
    if (captures && !(isCollection && !Object.hasOwn(COLLECTIONS, captures[0] ?? ''))) return [route, captures];
  }
  return null;
}

export function isRestPath(path: string): boolean {
  return path === BASE || path.startsWith(`${BASE}/`);
}

/** Answers one request; never rejects. */
export async function handleRest(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const who = authenticate(world, request);
  if ('error' in who) return replyJson(response, who.status, { error: who.error });
  const found = findRoute(request.method ?? 'GET', url.pathname.slice(BASE.length));
  const older = world.mishaps.has('no-rest-post') && found?.[0] === importDisk;
  if (!found || older) {
    world.log(`UNKNOWN ROUTE ${request.method} ${url.pathname}: not one of those that this lab has`);
    return replyNoRoute(request, response);
  }
  const [route, captures] = found;
  const { permission, poolAdmin } = who.signedIn.user;
  try {
    if (permission !== 'admin' && !poolAdmin) throw unauthorized();
    await route({ world, request, response, query: url.searchParams }, ...captures);
  } catch (error) {
    world.log(`${request.method} ${url.pathname}: ${error instanceof Error ? error.message : String(error)}`);
    if (response.headersSent) response.destroy();
    else replyError(response, error);
    // What is still to come of a body that was refused is taken and thrown away.
    request.resume();
  }
}
