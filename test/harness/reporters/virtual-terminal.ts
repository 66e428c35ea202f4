/** For tests: a terminal without a window, whose screen can be read. */
import xterm from '@xterm/headless';
import type { Screen } from '../../../harness/reporters/live-view.ts';

export class VirtualTerminal implements Screen {
  readonly #terminal: xterm.Terminal;
  /** All that was written to it. */
  written = '';

  constructor(columns: number, rows: number) {
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      convertEol: true,
      allowProposedApi: true,
      scrollback: 1000,
    });
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  write(text: string): boolean {
    this.written += text;
    this.#terminal.write(text);
    return true;
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  /** What stands there, from the first line that was ever written; without empty lines at its end. */
  async lines(): Promise<readonly string[]> {
    await new Promise<void>((resolve) => this.#terminal.write('', resolve));
    const { active } = this.#terminal.buffer;
    const all = Array.from({ length: active.length }, (_, nth) => active.getLine(nth)?.translateToString(true) ?? '');
    while (all.at(-1) === '') all.pop();
    return all;
  }

  /** Where the next text would stand, counted from the first line that was ever written. */
  async cursor(): Promise<{ readonly line: number; readonly column: number }> {
    await new Promise<void>((resolve) => this.#terminal.write('', resolve));
    const { baseY, cursorX, cursorY } = this.#terminal.buffer.active;
    return { line: baseY + cursorY, column: cursorX };
  }
}
