/** The image cache as it is: what it holds of what it may, and what in it is of no use. */
import { type Finding, type Look, look, ok, warning } from '../../finding.ts';
import { allottedBytes, readEntries } from '../cache/entries.ts';
import { placementOf } from '../cache/place.ts';
import { sized } from '../room.ts';
import type { Session } from '../session.ts';
import type { CacheSettings, XoLabSettings } from '../settings.ts';

function cache({ objects }: Session, { bytesMax, chainMax }: CacheSettings): Look {
  const entries = readEntries(objects.raws);
  const ready = entries.filter(({ state }) => state === 'ready');
  const seen = `${ready.length} image(s), ${sized(allottedBytes(entries))} of at most ${sized(bytesMax)}`;
  const useless = entries.filter(({ state }) => state === 'broken');
  if (useless.length > 0) {
    const which = useless.map(({ id, wrong }) => `${id}: ${wrong}`).join('; ');
    return warning(`${seen}; of no use: ${which}`, 'Remove them with npm run -s images -- prune --digest SHA256.');
  }
  const longest = Math.max(0, ...ready.map(({ chain }) => chain.length));
  return ok(`${seen}; longest chain ${longest} of ${chainMax}`);
}

/** Null: this lab keeps no images. */
export async function cacheFinding(session: Session, settings: XoLabSettings): Promise<Finding | null> {
  const { cache: kept } = settings;
  if (kept === null) return null;
  return look('image-cache', () => {
    placementOf(session.objects, settings);
    return cache(session, kept);
  });
}
