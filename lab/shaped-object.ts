/** What all objects of the pool have in common: type, identities, and no value that is absent. */
import type { Inventory } from './inventory.ts';
import type { Json, XoObject } from './json.ts';

interface Identity {
  readonly uuid: string;
  readonly ref: string;
}

/** Drops absent values and adds what every object has. */
export function shaped(
  inventory: Inventory,
  own: Identity,
  type: string,
  values: Readonly<Record<string, Json | undefined>>,
): XoObject {
  const kept: Record<string, Json> = {};
  for (const [key, value] of Object.entries(values)) if (value !== undefined) kept[key] = value;
  const pool = inventory.pool.uuid;
  return { id: own.uuid, ...kept, type, uuid: own.uuid, $pool: pool, $poolId: pool, _xapiRef: own.ref };
}
