/**
 * A file of the workdir that only grows, line by line. A line is there whole or not at all: what a full disk
 * took of one is taken back, so that whoever reads the file later reads what was kept.
 */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import { inWorkdir } from './workdir.ts';

export class LineFile {
  readonly #path: string;
  readonly #fd: number;
  #bytes = 0;

  /** Of another run it is never appended to. @throws Fault as `inWorkdir` */
  constructor(path: string) {
    this.#path = path;
    this.#fd = inWorkdir(path, () => openSync(path, 'ax', 0o644));
  }

  /** On disk as far as the system is concerned when it returns. @throws Fault as `inWorkdir` */
  append(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    inWorkdir(this.#path, () => {
      try {
        // Not `writeSync`: on a full disk that writes half a line and says nothing.
        writeFileSync(this.#fd, bytes);
      } catch (error) {
        ftruncateSync(this.#fd, this.#bytes);
        throw error;
      }
    });
    this.#bytes += bytes.length;
  }

  /** Returns when what was appended survives a power cut. @throws Fault as `inWorkdir` */
  sync(): void {
    inWorkdir(this.#path, () => fsyncSync(this.#fd));
  }

  /** @throws Fault as `inWorkdir`, also where somebody removed the file meanwhile */
  close(): void {
    try {
      this.sync();
      inWorkdir(this.#path, () => {
        const gone = fstatSync(this.#fd).nlink === 0;
        if (gone) throw Object.assign(new Error('removed during the run'), { code: 'ENOENT', syscall: 'fstat' });
      });
    } finally {
      closeSync(this.#fd);
    }
  }
}
