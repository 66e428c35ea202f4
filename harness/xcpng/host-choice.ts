/** Which hosts of a pool can run a guest that has its disk on one SR and its NIC on one network. Pure. */
import type { ObjectStore } from './objects.ts';
import type { Host, Network, Pool, Sr } from './wire-pool.ts';

/** Where a guest's parts are. */
export interface Parts {
  readonly pool: Pool;
  readonly sr: Sr;
  readonly network: Network;
}

export interface Reason {
  /** True: so the pool is built, and the caller asks for what cannot be. False: a state that an operator can end. */
  readonly built: boolean;
  /** Continues "host x: ". */
  readonly sentence: string;
}

export interface HostView {
  readonly host: Host;
  /** Null: it can run the guest, as far as its objects tell. */
  readonly why: Reason | null;
}

const built = (sentence: string): Reason => ({ built: true, sentence });
const state = (sentence: string): Reason => ({ built: false, sentence });

/** Null: nothing speaks against it. Memory is looked at elsewhere (`room.ts`). */
export function whyNotOn(store: ObjectStore, host: Host, { sr, network }: Omit<Parts, 'pool'>): Reason | null {
  const pbd = store.all('PBD').find((each) => each.sr === sr.id && each.host === host.id);
  if (pbd === undefined) return built(`it does not see the SR "${sr.name}" (${sr.uuid})`);
  const pifs = store.all('PIF').filter((pif) => pif.network === network.id);
  // A network without any PIF is internal: every host makes it for itself.
  if (pifs.length > 0 && !pifs.some((pif) => pif.host === host.id)) {
    return built(`it has no NIC on the network "${network.name}" (${network.uuid})`);
  }
  if (!host.running) return state('it is not running');
  if (!host.enabled) return state('it is disabled, as in maintenance mode');
  if (!pbd.attached) return state(`the SR "${sr.name}" (${sr.uuid}) is detached from it: its PBD is not plugged`);
  return null;
}

/** All hosts of the pool, each with what speaks against it. */
export function hostViews(store: ObjectStore, parts: Parts): readonly HostView[] {
  const hosts = store.all('host').filter(({ pool }) => pool === parts.pool.id);
  return hosts.map((host) => ({ host, why: whyNotOn(store, host, parts) }));
}

/** For messages. */
export function describeHosts(views: readonly HostView[]): string {
  return views.map(({ host, why }) => `"${host.name}" (${host.uuid}): ${why?.sentence ?? 'it can'}`).join('; ');
}
