/** Where a guest goes: template, SR and network of the settings, resolved to exactly one object each. */
import { Fault } from '../faults.ts';
import type { ObjectStore } from './objects.ts';
import type { XoLabSettings } from './settings.ts';
import type { Pool } from './wire.ts';

export interface Placement {
  readonly pool: Pool;
  /** The id that `vm.create` wants, which for a default template is not its uuid. */
  readonly templateId: string;
  readonly srId: string;
  readonly networkId: string;
}

export const DEFAULT_TEMPLATE = 'Other install media';

interface Candidate {
  readonly id: string;
  readonly uuid: string;
  readonly name: string;
  readonly pool: string;
}

const listed = (all: readonly Candidate[]): string =>
  all.length === 0 ? 'nothing' : all.map(({ name, uuid }) => `"${name}" (${uuid})`).join(', ');

const named = (all: readonly Candidate[], wanted: string): readonly Candidate[] => {
  const byId = all.filter(({ id, uuid }) => id === wanted || uuid === wanted.toLowerCase());
  return byId.length > 0 ? byId : all.filter(({ name }) => name === wanted);
};

function exactlyOne(what: string, wanted: string, all: readonly Candidate[]): Candidate {
  const found = named(all, wanted);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const given = `expected exactly one ${what} named "${wanted}", found ${found.length}`;
  throw new Fault('BAD_PLACEMENT', `${given}; there is: ${listed(found.length > 0 ? found : all)}`);
}

/** With several pools in one XO, the objects that are named decide which is meant. */
function choosePool(store: ObjectStore, settings: XoLabSettings): Pool {
  const pools = store.all('pool');
  if (pools.length === 0) throw new Fault('XO_OBJECT_LATE', 'Xen Orchestra shows no pool: it has none, or lost it');
  const wanted: readonly (readonly [string | null, readonly Candidate[]])[] = [
    [settings.sr, store.all('SR')],
    [settings.network, store.all('network')],
    [settings.template, store.all('VM-template')],
  ];
  const meant = pools.filter(({ id }) =>
    wanted.every(([name, all]) => name === null || named(all, name).some(({ pool }) => pool === id)),
  );
  const [only] = meant.length === 0 && pools.length === 1 ? pools : meant;
  if (only !== undefined && (meant.length === 1 || pools.length === 1)) return only;
  throw new Fault(
    'BAD_PLACEMENT',
    `expected SR, network and template to name one pool, ${meant.length} match; there is: ${listed(pools)}`,
  );
}

function chooseSr(store: ObjectStore, pool: Pool, wanted: string | null): Candidate {
  const usable = store.all('SR').filter((sr) => sr.pool === pool.id && sr.contentType !== 'iso' && sr.sizeBytes > 0);
  if (wanted !== null) return exactlyOne('SR for disks', wanted, usable);
  const chosen = usable.find(({ id }) => id === pool.defaultSr);
  if (chosen !== undefined) return chosen;
  throw new Fault('BAD_PLACEMENT', `the pool "${pool.name}" has no default SR; name one of: ${listed(usable)}`);
}

function chooseNetwork(store: ObjectStore, pool: Pool, wanted: string | null): Candidate {
  const networks = store.all('network').filter((network) => network.pool === pool.id);
  if (wanted !== null) return exactlyOne('network', wanted, networks);
  const management = new Set(
    store
      .all('PIF')
      .filter((pif) => pif.pool === pool.id && pif.management)
      .map((pif) => pif.network),
  );
  const candidates = networks.length === 1 ? networks : networks.filter(({ id }) => management.has(id));
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  throw new Fault('BAD_PLACEMENT', `which network of the pool "${pool.name}"? Name one of: ${listed(networks)}`);
}

function chooseTemplate(store: ObjectStore, pool: Pool, wanted: string | null): Candidate {
  const templates = store.all('VM-template').filter((template) => template.pool === pool.id);
  const chosen = exactlyOne('template', wanted ?? DEFAULT_TEMPLATE, templates);
  const disks = (templates.find(({ id }) => id === chosen.id)?.vbds ?? []).filter((id) => {
    const vbd = store.get('VBD', id);
    return vbd !== undefined && !vbd.isCd;
  });
  if (disks.length === 0) return chosen;
  throw new Fault(
    'BAD_PLACEMENT',
    `the template "${chosen.name}" has ${disks.length} disk(s) of its own: expected one without any, for the image`,
  );
}

/** @throws Fault BAD_PLACEMENT with the candidates; XO_OBJECT_LATE where XO shows no pool */
export function resolvePlacement(store: ObjectStore, settings: XoLabSettings): Placement {
  const pool = choosePool(store, settings);
  return {
    pool,
    templateId: chooseTemplate(store, pool, settings.template).id,
    srId: chooseSr(store, pool, settings.sr).id,
    networkId: chooseNetwork(store, pool, settings.network).id,
  };
}
