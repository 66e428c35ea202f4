/**
 * Reads the text of a picture, by OCR in a process of its own: started when it is first needed, kept while pictures may
 * come, killed when it is late. It reads one picture at a time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { byDeadline, type Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { ScreenFrame } from '../lab.ts';
import { png } from './png.ts';
import { readable } from './readable.ts';

const OCR_MAIN = fileURLToPath(new URL('ocr-main.ts', import.meta.url));
const SAID_CHARACTERS_MAX = 2_000;

/** What a reading came to; why there is no text where there is none. */
export type Reading = { readonly text: string; readonly ms: number } | { readonly why: string };

export class ScreenReader {
  readonly #program: string;
  #process: Running | null = null;
  #before: Promise<unknown> = Promise.resolve();

  /** @param program default: the one that stands beside this file */
  constructor(program = OCR_MAIN) {
    this.#program = program;
  }

  /** Starts the process, which takes a second or two to be ready. */
  warm(): void {
    if (this.#process !== null) return;
    const running = start(this.#program, () => {
      if (this.#process === running) this.#process = null;
    });
    this.#process = running;
  }

  /** After those asked for before. Never throws but for the interrupt: what prevents a reading is said. */
  read(frame: ScreenFrame, deadline: Deadline): Promise<Reading> {
    // An answer carries no name: it belongs to the picture that was handed over last.
    const reading = this.#before.then(() => this.#read(frame, deadline));
    this.#before = reading.catch(() => undefined);
    return reading;
  }

  async #read(frame: ScreenFrame, deadline: Deadline): Promise<Reading> {
    const startedMs = deadline.clock.nowMs();
    try {
      deadline.check();
      this.warm();
      const running = this.#process;
      if (running === null) return { why: 'the process that reads screens did not start' };
      const line = running.answer();
      running.child.stdin?.write(`${png(readable(frame)).toString('base64')}\n`);
      const { text } = JSON.parse(await byDeadline(deadline, 'CONSOLE_CLOSED', 'reading a screen', line)) as {
        text?: unknown;
      };
      if (typeof text !== 'string') return { why: 'the process that reads screens gave no text' };
      return { text, ms: Math.round(deadline.clock.nowMs() - startedMs) };
    } catch (error) {
      this.close();
      if (error instanceof Fault && error.party === 'nobody') throw error;
      return { why: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Ends the process, whatever it does. */
  close(): void {
    this.#process?.child.kill('SIGKILL');
    this.#process = null;
  }
}

interface Running {
  readonly child: ChildProcess;
  /** The next line that it writes; rejects when it ends instead. */
  answer(): Promise<string>;
}

function start(program: string, onEnd: () => void): Running {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), program], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Nothing of our environment is of use to it. Its own group: a Ctrl-C at the terminal is for us.
    env: {},
    detached: true,
  });
  let said = '';
  let partial = '';
  let take: (line: string) => void = () => undefined;
  child.stdin.on('error', () => child.stdin.destroy());
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-SAID_CHARACTERS_MAX);
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (partial + text).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  const gone = new Promise<never>((_, reject) => {
    const end = (how: string): void => {
      onEnd();
      const why = /^\w*Error.*$/m.exec(said)?.[0] ?? 'it said nothing';
      reject(new Error(`the process that reads screens ended (${how}): ${why}`));
    };
    child.once('error', (error) => end(error.message));
    child.once('close', (code, signal) => end(`exit ${code ?? signal}`));
  });
  gone.catch(() => undefined);
  const answer = (): Promise<string> => {
    const line = new Promise<string>((resolve) => {
      take = resolve;
    });
    return Promise.race([line, gone]);
  };
  return { child, answer };
}
