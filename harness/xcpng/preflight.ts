/** The last look before anything is made: can the place that was chosen take this guest now? Nothing is changed. */
import { Fault } from '../faults/faults.ts';
import type { GuestShape } from '../lab.ts';
import type { PlannedImage } from '../model.ts';
import { placementOf } from './cache/place.ts';
import { describeHosts, type HostView, hostViews, whyNotOn } from './host-choice.ts';
import type { ObjectStore } from './objects.ts';
import type { Placement } from './placement.ts';
import { diskNeed, guestsOn, memoryRoom, type Room, srRoom } from './room.ts';
import type { XoLabSettings } from './settings.ts';
import type { Host } from './wire-pool.ts';

/** @throws Fault SR_UNUSABLE */
export function checkSrState(store: ObjectStore, { sr }: Pick<Placement, 'sr'>): void {
  const what = `SR "${sr.name}" (${sr.uuid})`;
  if (sr.inMaintenance) throw new Fault('SR_UNUSABLE', `${what} is in maintenance mode`);
  const pbds = store.all('PBD').filter((pbd) => pbd.sr === sr.id);
  if (pbds.some(({ attached }) => attached)) return;
  const why = pbds.length === 0 ? 'it has no PBD' : `none of its ${pbds.length} PBDs is plugged`;
  throw new Fault('SR_UNUSABLE', `${what} is detached from every host: ${why}`);
}

/** The hosts that could take the guest now: the one that was chosen, or all. @throws Fault HOST_UNUSABLE */
export function usableHosts(store: ObjectStore, placement: Placement): readonly Host[] {
  const { host, pool } = placement;
  const views: readonly HostView[] =
    host === null ? hostViews(store, placement) : [{ host, why: whyNotOn(store, host, placement) }];
  const usable = views.filter(({ why }) => why === null).map((view) => view.host);
  if (usable.length > 0) return usable;
  const which = host === null ? `no host of the pool "${pool.name}" can run the guest now` : 'the host is no use now';
  throw new Fault('HOST_UNUSABLE', `${which}: ${describeHosts(views) || 'it has none'}`);
}

/** Bytes that the pool could take back from the VMs that run on a host. */
export const reclaimableOn =
  (store: ObjectStore) =>
  (hostId: string): number =>
    store
      .all('VM')
      .filter(({ container, powerState }) => container === hostId && powerState === 'Running')
      .reduce((sum, { reclaimableBytes }) => sum + reclaimableBytes, 0);

/**
 * How many more guests of that size the hosts have memory for; infinite where one of them is not measured.
 * @throws Fault HOST_UNUSABLE, BAD_PLACEMENT
 */
export function guestsInMemory(store: ObjectStore, settings: XoLabSettings): number {
  const reclaimable = reclaimableOn(store);
  const hosts = usableHosts(store, placementOf(store, settings));
  return hosts.reduce((sum, host) => sum + guestsOn(host, settings.shape, reclaimable(host.id)), 0);
}

export interface PreflightOptions {
  readonly shape: GuestShape;
  readonly image: Pick<PlannedImage, 'sizeBytes' | 'blocks'>;
  /**
   * True where something was taken away here just now: the pool measures SRs and hosts rarely, so its figures may
   * still count that, and what they say is no reason to stop.
   */
  readonly figuresMayLag: boolean;
}

/**
 * @returns warnings: where it may become short
 * @throws Fault SR_UNUSABLE, HOST_UNUSABLE, SR_FULL, NO_HOST_AVAILABLE, with the figures
 */
export function preflight(store: ObjectStore, placement: Placement, options: PreflightOptions): readonly string[] {
  const { shape, image, figuresMayLag } = options;
  checkSrState(store, placement);
  const hosts = usableHosts(store, placement);
  const rooms: readonly Room[] = [
    srRoom(placement.sr, diskNeed(placement.sr, image)),
    memoryRoom(hosts, shape, reclaimableOn(store)),
  ];
  return rooms.flatMap((room) => {
    if (room.state === 'enough') return [];
    if (room.state === 'tight') return [room.sentence];
    if (!figuresMayLag) throw new Fault(room.code, room.sentence);
    return [`${room.sentence}; tried all the same, since the figures may still count what was just taken away`];
  });
}
