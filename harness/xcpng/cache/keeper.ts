/** What the steps of the cache share: where it is, whose run it is, and the entries as the pool shows them now. */
import { xoNowMs } from '../endpoint.ts';
import type { Making } from '../making.ts';
import type { CacheSettings } from '../settings.ts';
import { current, type Entry, readEntries } from './entries.ts';

export interface Keeper {
  readonly making: Making;
  readonly cache: CacheSettings;
}

/** Of this pool, whoever made them. */
export function entriesOf({ making: { session, placement } }: Keeper): readonly Entry[] {
  return readEntries(session.objects.raws).filter(({ pool }) => pool === placement.pool.id);
}

/** An entry of the image that is wanted, made of the same template. */
export const isWanted = ({ making: { order, placement } }: Keeper, entry: Entry): boolean =>
  entry.digest === order.image.sha256 && entry.base === placement.templateId;

/** Somebody is about to remove it. */
export const isLeaving = (keeper: Keeper, { leaving }: Entry): boolean =>
  current(leaving, xoNowMs(keeper.making.session)).length > 0;

/** Its next clone would make the chain longer than the lab allows. */
export const isExhausted = ({ cache }: Keeper, { chain }: Entry): boolean => chain.length + 1 > cache.chainMax;

/** May be cloned now. */
export function isUsable(keeper: Keeper, entry: Entry): boolean {
  const { order, placement } = keeper.making;
  const fits = entry.state === 'ready' && entry.bytes === order.image.sizeBytes && entry.sr === placement.srId;
  return isWanted(keeper, entry) && fits && !isExhausted(keeper, entry) && !isLeaving(keeper, entry);
}
