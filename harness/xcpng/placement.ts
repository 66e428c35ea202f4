/** Where a guest goes: template, SR, network and host of the settings, resolved to exactly one object each. */
import { Fault } from '../faults/faults.ts';
import type { Firmware, NamedObject, Placed } from '../model.ts';
import { describeHosts, hostViews, type Parts, whyNotOn } from './host-choice.ts';
import type { ObjectStore } from './objects.ts';
import type { XoLabSettings } from './settings.ts';
import type { Host, Network, Pool, Sr, Template } from './wire-pool.ts';

export interface Placement extends Parts {
  /** The id that `vm.create` wants, which for a default template is not its uuid. */
  readonly templateId: string;
  readonly srId: string;
  readonly networkId: string;
  readonly template: Template;
  /** Null: any that can. */
  readonly host: Host | null;
  readonly firmware: Firmware;
}

const MIB = 1024 * 1024;
export const DEFAULT_TEMPLATE = 'Other install media';

interface Candidate {
  readonly id: string;
  readonly uuid: string;
  readonly name: string;
  readonly pool: string;
}

const listed = (all: readonly Candidate[]): string =>
  all.length === 0 ? 'nothing' : all.map(({ name, uuid }) => `"${name}" (${uuid})`).join(', ');

const named = <T extends Candidate>(all: readonly T[], wanted: string): readonly T[] => {
  const byId = all.filter(({ id, uuid }) => id === wanted || uuid === wanted.toLowerCase());
  return byId.length > 0 ? byId : all.filter(({ name }) => name === wanted);
};

function exactlyOne<T extends Candidate>(what: string, wanted: string, all: readonly T[]): T {
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
    [settings.host, store.all('host')],
  ];
  const meant = pools.filter(({ id }) =>
    wanted.every(([name, all]) => name === null || named(all, name).some(({ pool }) => pool === id)),
  );
  const [only] = meant.length === 0 && pools.length === 1 ? pools : meant;
  if (only !== undefined && (meant.length === 1 || pools.length === 1)) return only;
  throw new Fault(
    'BAD_PLACEMENT',
    `expected SR, network, template and host to name one pool, ${meant.length} match; there is: ${listed(pools)}`,
  );
}

/** @param host chosen before: of SRs of one name ("Local storage" is on every host) it takes those that it sees */
function chooseSr(store: ObjectStore, pool: Pool, wanted: string | null, host: Host | null): Sr {
  const usable = store.all('SR').filter((sr) => sr.pool === pool.id && sr.contentType !== 'iso' && sr.sizeBytes > 0);
  if (wanted !== null) {
    const sees = ({ id }: Sr): boolean => store.all('PBD').some((pbd) => pbd.sr === id && pbd.host === host?.id);
    const twins = named(usable, wanted);
    const seen = twins.filter(sees);
    return exactlyOne('SR for disks', wanted, twins.length > 1 && seen.length === 1 ? seen : usable);
  }
  const chosen = usable.find(({ id }) => id === pool.defaultSr);
  if (chosen !== undefined) return chosen;
  throw new Fault('BAD_PLACEMENT', `the pool "${pool.name}" has no default SR; name one of: ${listed(usable)}`);
}

function chooseHost(store: ObjectStore, pool: Pool, wanted: string | null): Host | null {
  if (wanted === null) return null;
  return exactlyOne(
    `host of the pool "${pool.name}"`,
    wanted,
    store.all('host').filter((host) => host.pool === pool.id),
  );
}

/** What the pool is built like must allow it; in which state it is, is looked at before a guest is made. */
function checkHosts(store: ObjectStore, parts: Parts, host: Host | null): void {
  if (host !== null) {
    const why = whyNotOn(store, host, parts);
    if (why?.built) throw new Fault('BAD_PLACEMENT', `host "${host.name}" (${host.uuid}): ${why.sentence}`);
    return;
  }
  const views = hostViews(store, parts);
  const onSr = store.all('PBD').some((pbd) => pbd.sr === parts.sr.id);
  if (!onSr || views.some(({ why }) => !why?.built)) return;
  throw new Fault('BAD_PLACEMENT', `no host has both the SR and the network; ${describeHosts(views)}`);
}

function chooseNetwork(store: ObjectStore, pool: Pool, wanted: string | null): Network {
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

/** Disks of its own would come along: the image's is to be the only one. */
function ownDisks(store: ObjectStore, template: Template): number {
  return template.vbds.filter((id) => {
    const vbd = store.get('VBD', id);
    return vbd !== undefined && !vbd.isCd;
  }).length;
}

/**
 * The pool's own "Other install media": another template of that name does not make it ambiguous. A pool without it
 * has others that do as well, since firmware, memory, CPUs and disks are ours: the plainest is taken, which one is
 * recorded. Why so: docs/decisions/0008-placement.md.
 */
function defaultTemplate(store: ObjectStore, pool: Pool, templates: readonly Template[]): Template {
  const own = templates.filter(({ isDefault }) => isDefault);
  const [usual] = named(own, DEFAULT_TEMPLATE);
  if (usual !== undefined) return usual;
  const rank = ({ viridian, memoryMinBytes, name }: Template): string =>
    `${viridian ? 1 : 0} ${String(memoryMinBytes).padStart(16, '0')} ${name}`;
  const plain = own.filter((each) => each.virtualizationMode === 'hvm' && ownDisks(store, each) === 0);
  const [first] = plain.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  if (first !== undefined) return first;
  const expected = `"${DEFAULT_TEMPLATE}", or another default HVM template without disks`;
  throw new Fault(
    'BAD_PLACEMENT',
    `the pool "${pool.name}" has no template ${expected}; name one of: ${listed(templates)}`,
  );
}

function chooseTemplate(store: ObjectStore, pool: Pool, { template: wanted, shape }: XoLabSettings): Template {
  const templates = store.all('VM-template').filter((template) => template.pool === pool.id);
  const chosen = wanted === null ? defaultTemplate(store, pool, templates) : exactlyOne('template', wanted, templates);
  const refuse = (why: string): never => {
    throw new Fault('BAD_PLACEMENT', `the template "${chosen.name}" (${chosen.uuid}) ${why}`);
  };
  const disks = ownDisks(store, chosen);
  if (disks > 0) refuse(`has ${disks} disk(s) of its own: expected one without any, for the image`);
  if (chosen.virtualizationMode !== 'hvm') refuse(`is ${chosen.virtualizationMode}: expected one for HVM guests`);
  const leastMiB = Math.ceil(chosen.memoryMinBytes / MIB);
  if (leastMiB > shape.memoryMiB) refuse(`needs ${leastMiB} MiB of memory, memory_mib gives ${shape.memoryMiB}`);
  return chosen;
}

/** @throws Fault BAD_PLACEMENT with the candidates; XO_OBJECT_LATE where XO shows no pool */
export function resolvePlacement(store: ObjectStore, settings: XoLabSettings): Placement {
  const pool = choosePool(store, settings);
  const template = chooseTemplate(store, pool, settings);
  const host = chooseHost(store, pool, settings.host);
  const sr = chooseSr(store, pool, settings.sr, host);
  const network = chooseNetwork(store, pool, settings.network);
  checkHosts(store, { pool, sr, network }, host);
  const firmware = settings.shape.firmware ?? template.firmware;
  const ids = { templateId: template.id, srId: sr.id, networkId: network.id };
  return { ...ids, pool, template, sr, network, host, firmware };
}

const shown = ({ uuid, name }: Candidate): NamedObject => ({ uuid, name });

/** For the report; where it really runs is not known yet. */
export function plannedPlace(placement: Placement, { shape }: XoLabSettings): Placed {
  const { pool, template, sr, network, host, firmware } = placement;
  return {
    ...{ pool: shown(pool), host: null, hostOrdered: host !== null },
    ...{ template: shown(template), sr: shown(sr), network: shown(network), firmware },
    ...{ memoryMiB: shape.memoryMiB, cpus: shape.cpus, nic: shape.nic },
  };
}
