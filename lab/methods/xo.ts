/** `xo.*` and `tag.*`: the objects as shown, and the tags on them. */
import { objectFilter } from '../filter.ts';
import type { Json, JsonObject, XoObject } from '../json.ts';
import type { World } from '../world.ts';
import { method, named } from './method.ts';

interface GetAllObjects {
  readonly filter?: JsonObject | string;
  readonly limit?: number;
  readonly ndjson?: boolean;
}

function ndjsonPath(world: World, objects: readonly XoObject[]): string {
  return world.paths.add(async (_, response) => {
    response.setHeader('content-type', 'application/x-ndjson');
    response.end(objects.map((object) => `${JSON.stringify(object)}\n`).join(''));
  });
}

/** The tags in the books behind an object; those types have some. */
function tagsOf({ inventory }: World, object: XoObject): string[] {
  switch (object.type) {
    case 'VM':
    case 'VM-template':
    case 'VM-snapshot':
      return inventory.vm(object.uuid, object._xapiRef).tags;
    case 'VDI':
    case 'VDI-snapshot':
      return inventory.vdi(object.uuid, object._xapiRef).tags;
    case 'SR':
      return inventory.sr.tags;
    case 'network':
      return inventory.network.tags;
    case 'pool':
      return inventory.poolTags;
    case 'host':
      return inventory.hostTags;
    default:
      throw new Error(`no tags on objects of type ${object.type}`);
  }
}

interface Tag {
  readonly id: string;
  readonly tag: string;
}

export const xoMethods = {
  'xo.getAllObjects': method<GetAllObjects>({
    run({ filter, limit = Infinity, ndjson = false }, { world }) {
      const objects = world.view.all().filter(objectFilter(filter)).slice(0, limit);
      if (ndjson) return { $getFrom: ndjsonPath(world, objects) };
      const byId: Record<string, Json> = {};
      for (const object of objects) byId[object.id] = object;
      return byId;
    },
  }),
  'tag.add': method<Tag>({
    resolve: { id: [undefined, 'administrate'] },
    run({ tag }, call) {
      const tags = tagsOf(call.world, named(call, 'id'));
      if (!tags.includes(tag)) tags.push(tag);
      call.world.inventory.touch();
      return undefined;
    },
  }),
  'tag.remove': method<Tag>({
    resolve: { id: [undefined, 'administrate'] },
    run({ tag }, call) {
      const tags = tagsOf(call.world, named(call, 'id'));
      const at = tags.indexOf(tag);
      if (at >= 0) tags.splice(at, 1);
      call.world.inventory.touch();
      return undefined;
    },
  }),
};
