/**
 * Progress on a terminal: what has happened scrolls by as lines, and below them stands a block that is redrawn, a
 * line for each case that runs. For any terminal that knows three sequences (up, clear line, clear below); the
 * cursor is never hidden, so that nothing has to be given back when this process is killed.
 */
import { Board } from '../progress/board.ts';
import type { Event } from '../progress/event.ts';
import type { Reporter } from '../progress/progress.ts';
import { activityLines, totalsLine } from './activity-text.ts';
import { cut, widthOf } from './columns.ts';
import { linesOf, oneLine } from './event-lines.ts';
import type { Sink } from './plain.ts';

/** A terminal: where to write, and how large it is now. */
export interface Screen extends Sink {
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

const TICK_MS = 500;
/** What is assumed where nobody tells: that of a VT100. */
const UNTOLD = { columns: 80, rows: 24 };
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
/** Green, red, yellow. */
const COLOURS = { PASS: 32, FAIL: 31, ERROR: 33 } as const;
const NO_COLOUR = 39;

export interface LiveOptions {
  readonly colours: boolean;
}

export class LiveView implements Reporter {
  readonly #screen: Screen;
  readonly #options: LiveOptions;
  readonly #board = new Board();
  /** What stands on the screen, uncut by the terminal. */
  #block: readonly string[] = [];
  /** Others print there: no block until something begins. */
  #left = false;
  readonly tick = { everyMs: TICK_MS, run: (nowS: number): void => this.#draw(nowS, []) };

  constructor(screen: Screen, options: LiveOptions) {
    this.#screen = screen;
    this.#options = options;
  }

  on(event: Event): void {
    this.#board.on(event);
    if (event.event === 'run-begins' || event.event === 'attempt-begins') this.#left = false;
    const lines = linesOf(event).map((line) => this.#coloured(line));
    // What changes all the time is drawn by the tick.
    if (lines.length > 0 || event.event === 'stage-begins') this.#draw(event.elapsedS, lines);
  }

  async end(): Promise<void> {
    this.leave();
  }

  leave(): void {
    if (this.#block.length > 0) this.#screen.write(`${this.#toTop()}${CLEAR_BELOW}`);
    this.#block = [];
    this.#left = true;
  }

  #size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#screen;
    return { columns: columns || UNTOLD.columns, rows: rows || UNTOLD.rows };
  }

  /**
   * A terminal that became narrower has folded what stands there: then the block is higher than it was. Where that is
   * not so (few terminals), lines above it go.
   */
  #toTop(): string {
    const { columns } = this.#size();
    const rows = this.#block.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
    return rows === 0 ? '\r' : `\r\u001b[${rows}A`;
  }

  /** One write, so that nobody sees half of it. */
  #draw(nowS: number, above: readonly string[]): void {
    const block = this.#left ? [] : this.#lines(nowS);
    if (above.length === 0 && same(block, this.#block)) return;
    const lines = [...above, ...block].map((line) => `${line}${CLEAR_LINE}\n`);
    this.#screen.write(`${this.#toTop()}${lines.join('')}${CLEAR_BELOW}`);
    this.#block = block;
  }

  /** One row less for the cursor below it, and one column less, since the last one is left in two ways. */
  #lines(nowS: number): readonly string[] {
    const { columns, rows } = this.#size();
    const { running, totals } = this.#board;
    const [width, height] = [Math.max(1, columns - 1), Math.max(1, rows - 1)];
    if (totals === null) {
      const seen = running.flatMap((each) => (each.seen === '' ? [] : [cut(`  ${oneLine(each.seen)}`, width)]));
      return [...activityLines(running, nowS, width), ...seen].slice(0, height);
    }
    if (totals.done === totals.cases && running.length === 0) return [];
    const room = height - 1;
    const shown = running.length <= room ? running : running.slice(0, Math.max(0, room - 1));
    const more = running.length - shown.length;
    return [
      ...activityLines(shown, nowS, width),
      ...(more > 0 && room > 0 ? [cut(`and ${more} more`, width)] : []),
      cut(totalsLine(totals, running.length, nowS), width),
    ];
  }

  #coloured(line: string): string {
    if (!this.#options.colours) return line;
    return line.replace(
      /(?<=^|: )(PASS|FAIL|ERROR)(?= |:)/,
      (word) => `\u001b[${COLOURS[word as keyof typeof COLOURS]}m${word}\u001b[${NO_COLOUR}m`,
    );
  }
}

const same = (one: readonly string[], two: readonly string[]): boolean =>
  one.length === two.length && one.every((line, nth) => line === two[nth]);
