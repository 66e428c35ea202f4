/** What the steps of the cache share: where it is, whose run it is, and the entries as the pool shows them now. */

import type { GuestOrder } from '../../lab.ts';
import { xoNowMs } from '../endpoint.ts';
import type { Making } from '../making.ts';
import type { CacheSettings } from '../settings.ts';
import { current, type Entry, readEntries } from './entries.ts';

export interface Keeper {
  readonly making: Making;
  readonly cache: CacheSettings;
}

/** As much of it as it takes to look whether an image is kept. */
export interface Wanted {
  readonly making: Pick<Making, 'session' | 'placement'> & { readonly order: Pick<GuestOrder, 'image'> };
  readonly cache: CacheSettings;
}

/** Of this pool, whoever made them. */
export function entriesOf({ making: { session, placement } }: Wanted): readonly Entry[] {
  return readEntries(session.objects.raws).filter(({ pool }) => pool === placement.pool.id);
}

/** An entry of the image that is wanted, made of the same template. */
export const isWanted = ({ making: { order, placement } }: Wanted, entry: Entry): boolean =>
  entry.digest === order.image.sha256 && entry.base === placement.templateId;

/** Somebody is about to remove it. */
export const isLeaving = (keeper: Wanted, { leaving }: Entry): boolean =>
  current(leaving, xoNowMs(keeper.making.session)).length > 0;

/** Its next clone would make the chain longer than the lab allows. */
export const isExhausted = ({ cache }: Wanted, { chain }: Entry): boolean => chain.length + 1 > cache.chainMax;

/** May be cloned now. */
export function isUsable(keeper: Wanted, entry: Entry): boolean {
  const { order, placement } = keeper.making;
  const fits = entry.state === 'ready' && entry.bytes === order.image.sizeBytes && entry.sr === placement.srId;
  return isWanted(keeper, entry) && fits && !isExhausted(keeper, entry) && !isLeaving(keeper, entry);
}

/** Is there an entry that can be cloned now, so that nothing need be sent? */
export const isKept = (wanted: Wanted): boolean => entriesOf(wanted).some((entry) => isUsable(wanted, entry));
