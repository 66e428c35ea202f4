/** Mishaps that change the pool just before a call is carried out: somebody else was at it, or XO lost it. */
import type { Json, JsonObject } from './json.ts';
import { destroyVm } from './vm-parts.ts';
import type { World } from './world.ts';

/** Resolves when what was to happen before this call has happened. */
export async function interfere(world: World, method: string, params: Json | undefined): Promise<void> {
  const { inventory, machines, mishaps, view, log } = world;
  const seconds = mishaps.vanishesAt(method);
  if (seconds !== null) {
    log(`mishap vanish-pool: ${method} arrived`);
    view.hideFor(seconds * 1000);
  }
  const { id, vm: named } = (params ?? {}) as JsonObject;
  const vm = inventory.vms.get(String(named ?? id));
  if (vm === undefined) return;
  const deleted = mishaps.hits('deleted-before', method);
  if (!deleted && !mishaps.hits('halted-before', method)) return;
  log(`mishap: somebody ${deleted ? 'deletes' : 'halts'} VM ${vm.nameLabel} before ${method}`);
  if (vm.powerState === 'Running') await machines.stop(vm);
  if (deleted) await destroyVm(world, vm, true);
}
