/** When the console showed what, from a workdir's evidence: the story that its pictures tell. Pure. */
import { at, numberAt, textAt } from './fields.ts';
import type { ConsoleMoment } from './run-record.ts';

/** Each picture has one, and some have more than one. */
const MOMENTS_MAX = 100;
/** Of one picture, and of all. */
const TEXT_CHARACTERS_MAX = 2_000;
const TEXTS_CHARACTERS_MAX = 16_000;

/** @param lines of `evidence.ndjson`; one that is cut off or no JSON is passed over */
export function consoleMoments(lines: Iterable<string>): readonly ConsoleMoment[] {
  const moments: { -readonly [Key in keyof ConsoleMoment]: ConsoleMoment[Key] }[] = [];
  let room = TEXTS_CHARACTERS_MAX;
  for (const line of lines) {
    if (!line.includes('"kind":"console"')) continue;
    const { name, s, data } = parsed(line);
    if (name === 'screenshot' && moments.length < MOMENTS_MAX) {
      const [milestone, why] = [textAt(data, 'milestone') ?? 'unknown', textAt(data, 'notKept') ?? ''];
      moments.push({ s, milestone, picture: pictureAt(data, 'file'), size: sizeAt(data), why, read: null });
    } else if (name === 'screen read') {
      const picture = pictureAt(data, 'picture');
      const of = picture === null ? undefined : moments.findLast((moment) => moment.picture === picture);
      const text = (textAt(data, 'text') ?? '').slice(0, Math.min(TEXT_CHARACTERS_MAX, room)).trim();
      if (of === undefined || of.read !== null || text === '') continue;
      of.read = text;
      room -= text.length;
    } else if (name === 'no screen' && moments.length < MOMENTS_MAX) {
      const why = textAt(data, 'why') ?? '';
      moments.push({ s, milestone: 'no screen', picture: null, size: null, why, read: null });
    }
  }
  return moments;
}

function parsed(line: string): { readonly name: string | null; readonly s: number; readonly data: unknown } {
  try {
    const read: unknown = JSON.parse(line);
    const ms = numberAt(read, 'sinceStartMs') ?? 0;
    return { name: textAt(read, 'name'), s: Math.round(ms / 100) / 10, data: at(read, 'data') };
  } catch {
    return { name: null, s: 0, data: null }; // the last line of a run that was killed
  }
}

const pictureAt = (data: unknown, key: string): string | null => textAt(data, key)?.split('/').at(-1) ?? null;

function sizeAt(data: unknown): readonly [width: number, height: number] | null {
  const [width, height] = [numberAt(data, 'width'), numberAt(data, 'height')];
  return width === null || height === null ? null : [width, height];
}
