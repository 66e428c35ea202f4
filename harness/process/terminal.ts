/** The terminal of the person who called, as a shell of a guest needs it; or what stands in for one. */
import { ReadStream, WriteStream } from 'node:tty';
import type { Terminal, Window } from '../ssh/shell.ts';

/** What is assumed where nobody tells: that of a VT100. */
const UNTOLD: Window = { rows: 24, columns: 80 };
const TYPE = 'xterm';

/** @param type as TERM says; undefined: unknown */
export function ownTerminal(type: string | undefined): Terminal {
  const { stdin: input, stdout: output, stderr: error } = process;
  const keys = input instanceof ReadStream && input.isTTY ? input : null;
  const screen = [output, error].find((each) => each instanceof WriteStream && each.isTTY);
  const raw = (on: boolean): void => {
    keys?.setRawMode(on);
  };
  if (keys === null) return { input, output, error, window: null, raw };
  // However this ends, the terminal is a person's again.
  process.once('exit', () => raw(false));
  const now = (): Window => {
    const { rows, columns } = screen ?? UNTOLD;
    return rows > 0 && columns > 0 ? { rows, columns } : UNTOLD;
  };
  const onChange = (listener: () => void): (() => void) => {
    screen?.on('resize', listener);
    return () => void screen?.removeListener('resize', listener);
  };
  return { input, output, error, window: { type: type || TYPE, now, onChange }, raw };
}
