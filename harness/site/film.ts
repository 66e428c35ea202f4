/** The console's pictures as a story: by guest and boot, each with its time, what it means, what was read off it. */
import { consoleLines } from '../console/console-text.ts';
import { at, type Fields, listAt, numberAt, textAt } from '../history/fields.ts';
import { FRAME_NAME } from '../history/run-record.ts';
import type { RunRow } from '../history/run-row.ts';
import { duration } from './format.ts';
import { type Html, html } from './html.ts';

const MOMENTS_MAX = 200;
const OF_CONTROL = 'control-';
const ALT_CHARACTERS_MAX = 120;

const WORDS: Readonly<Record<string, string>> = {
  'power-on': 'powered on',
  change: 'changed',
  read: 'stood still',
  answered: 'it answered',
  lost: 'connection lost',
  reboot: 'reboot asked for',
  end: 'last look',
};

interface Moment {
  readonly s: number | null;
  /** Without `control-`. */
  readonly milestone: string;
  readonly ofControl: boolean;
  readonly picture: string | null;
  readonly size: readonly [width: number, height: number];
  readonly why: string;
  readonly read: string;
}

/** One picture, or the lack of one, with all moments at which it stood. */
interface Shot {
  readonly moments: readonly [Moment, ...Moment[]];
}

/** A guest from its power-on, or from a reboot, to the next. */
interface Boot {
  readonly title: string;
  readonly shots: readonly Shot[];
}

/** @param present names of the pictures that are there; a record may have been copied without them */
export function film(row: RunRow, record: Fields, present: ReadonlySet<string>): Html {
  const boots = bootsOf(momentsOf(record));
  return html`${boots.map(
    ({ title, shots }) => html`${boots.length > 1 && html`<h3>${title}</h3>`}
<ol class="film">${shots.map((shot, index) => frame(row, shot, { present, isLast: index === shots.length - 1 }))}</ol>`,
  )}`;
}

function momentsOf(record: Fields): readonly Moment[] {
  const told = listAt(record, 'history', 'console', 'moments').slice(0, MOMENTS_MAX);
  if (told.length > 0) return told.map(momentOf);
  const frames = listAt(record, 'history', 'console', 'frames')
    .map(String)
    .filter((name) => FRAME_NAME.test(name));
  return frames.map((picture) => momentOf({ picture, milestone: picture.replace(/^\d+-|\.png$/g, '') }));
}

function momentOf(told: unknown): Moment {
  const milestone = textAt(told, 'milestone') ?? 'unknown';
  const picture = textAt(told, 'picture');
  const [width, height] = listAt(told, 'size').map(Number);
  const known = width !== undefined && height !== undefined && width > 0 && height > 0;
  return {
    s: numberAt(told, 's'),
    milestone: milestone.startsWith(OF_CONTROL) ? milestone.slice(OF_CONTROL.length) : milestone,
    ofControl: milestone.startsWith(OF_CONTROL),
    picture: picture !== null && FRAME_NAME.test(picture) ? picture : null,
    size: known ? [width, height] : [720, 400],
    ...{ why: textAt(told, 'why') ?? '', read: textAt(told, 'read') ?? '' },
  };
}

function bootsOf(moments: readonly Moment[]): readonly Boot[] {
  const boots: { title: string; shots: { moments: [Moment, ...Moment[]] }[] }[] = [];
  let [starts, nth] = [0, 1];
  for (const moment of moments) {
    const { milestone, ofControl, picture } = moment;
    let boot = boots.at(-1);
    const begins = milestone === 'power-on' || milestone === 'reboot' || boot === undefined;
    if (begins) {
      nth = milestone === 'reboot' ? nth + 1 : 1;
      if (!ofControl && nth === 1) starts++;
      boot = { title: titleOf(ofControl, nth, starts), shots: [] };
      boots.push(boot);
    }
    const before = boot?.shots.at(-1);
    if (before !== undefined && picture !== null && before.moments[0].picture === picture) before.moments.push(moment);
    else boot?.shots.push({ moments: [moment] });
  }
  return boots;
}

function titleOf(ofControl: boolean, nth: number, starts: number): string {
  const whose = ofControl ? 'The control image' : starts > 1 ? 'The image, once more' : 'The image';
  return nth === 1 ? whose : `${whose}, boot ${nth}`;
}

const said = ({ s, milestone }: Moment): string =>
  `${s === null ? '' : `${duration(s)} `}${WORDS[milestone] ?? milestone}`;

interface Place {
  readonly present: ReadonlySet<string>;
  readonly isLast: boolean;
}

function frame(row: RunRow, { moments }: Shot, { present, isLast }: Place): Html {
  const [first] = moments;
  const { picture, size, ofControl } = first;
  const whose = ofControl ? 'control image' : 'image';
  const read = moments.map((moment) => moment.read).find((text) => text !== '') ?? '';
  const caption = html`<p>${moments.map(
    ({ s, milestone }) =>
      html`<span><b>${s === null ? (picture?.slice(0, 3) ?? '–') : duration(s)}</b>
 ${WORDS[milestone] ?? milestone}</span> `,
  )}</p>`;
  if (picture === null) return html`<li class="gap">${caption}<p>No picture${first.why && `: ${first.why}`}</p></li>`;
  if (!present.has(picture)) {
    return html`<li class="gap">${caption}<p><code>${picture}</code> is not in this folder.</p></li>`;
  }
  const src = `../runs/${row.id}.console/${picture}`;
  const words = read.split(/\s+/).join(' ').slice(-ALT_CHARACTERS_MAX);
  const alt = `Console of the ${whose}: ${moments.map(said).join(', ')}${words && `: ${words}`}`;
  return html`<li${isLast && !ofControl && html` class="last"`}><a href="${src}"><img loading="lazy" decoding="async"
 src="${src}" alt="${alt}" width="${size[0]}" height="${size[1]}"></a>${caption}${
   read !== '' && html`<details><summary>what was read</summary><pre tabindex="0">${read}</pre></details>`
 }</li>`;
}

/** The end of the console's text. */
export function lastWords(record: Fields, open: boolean): Html {
  const text = at(record, 'history', 'console', 'text');
  const [source, end] = [textAt(text, 'source'), textAt(text, 'end')];
  if (end === null) return html``;
  const from = source === 'serial' ? 'from its serial port' : 'read off its screen';
  return html`<details${open && html` open`}><summary>Its last words, ${from}</summary>
<pre tabindex="0">${consoleLines(end).join('\n')}</pre></details>`;
}
