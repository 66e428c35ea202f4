/** Where guests go when images are kept: a clone stays on the SR of its source, so that is the guests' SR. */
import { Fault } from '../../faults/faults.ts';
import type { ObjectStore } from '../objects.ts';
import { type Placement, resolvePlacement } from '../placement.ts';
import type { XoLabSettings } from '../settings.ts';

/** @throws Fault BAD_PLACEMENT, also where placement.sr is another SR; and as `resolvePlacement` */
export function placementOf(store: ObjectStore, settings: XoLabSettings): Placement {
  const { cache, sr } = settings;
  if (cache === null) return resolvePlacement(store, settings);
  const placement = resolvePlacement(store, { ...settings, sr: cache.sr });
  if (sr === null || resolvePlacement(store, settings).srId === placement.srId) return placement;
  const expected = `the SR of placement.sr ("${sr}"), since a clone stays on the SR of its source`;
  throw new Fault('BAD_PLACEMENT', `cache.sr: expected ${expected}, given "${cache.sr}"`);
}
