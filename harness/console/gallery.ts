/** Keeps pictures of the console in the workdir: bounded in number and bytes, the same once, all in the evidence. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScreenFrame } from '../lab.ts';
import type { Recorder } from '../workdir/evidence.ts';
import { png } from './png.ts';

const FOLDER = 'console';
/** Of one case, all its boots together. */
const FILES_MAX = 60;
/** Pictures that show no more than a change leave room for those of milestones and of the end. */
const FILES_OF_CHANGES_MAX = 40;
const BYTES_MAX = 16 * 1024 * 1024;
const BYTES_OF_CHANGES_MAX = 12 * 1024 * 1024;

export class Gallery {
  readonly #workdir: string;
  readonly #evidence: Recorder;
  /** SHA-256 of the pixels → file. */
  readonly #kept = new Map<string, string>();
  #bytes = 0;

  constructor(workdir: string, evidence: Recorder) {
    this.#workdir = workdir;
    this.#evidence = evidence;
  }

  /**
   * Never throws for what the disk does: a picture that cannot be kept is said.
   * @returns its file, as the evidence names it; null: it could not be kept
   */
  keep(frame: ScreenFrame, milestone: string, why: 'milestone' | 'change'): string | null {
    const { width, height, rgb } = frame;
    const told = { milestone, why, width, height };
    const pixels = createHash('sha256').update(`${width}x${height}\n`).update(rgb).digest('hex');
    const same = this.#kept.get(pixels);
    if (same !== undefined) {
      if (why === 'milestone')
        this.#evidence.record('console', 'screenshot', { ...told, file: same, sameAsBefore: true });
      return same;
    }
    const written = this.#write(frame, milestone, why);
    if ('because' in written) {
      this.#evidence.record('console', 'screenshot', { ...told, notKept: written.because });
      return null;
    }
    this.#kept.set(pixels, written.file);
    this.#evidence.record('console', 'screenshot', { ...told, ...written });
    return written.file;
  }

  #write(frame: ScreenFrame, milestone: string, why: 'milestone' | 'change'): Kept | { readonly because: string } {
    try {
      const files = readdirSync(join(this.#workdir, FOLDER)).filter((name) => name.endsWith('.png')).length;
      if (files >= (why === 'change' ? FILES_OF_CHANGES_MAX : FILES_MAX))
        return { because: `${files} are kept already` };
      const bytes = png(frame);
      const most = why === 'change' ? BYTES_OF_CHANGES_MAX : BYTES_MAX;
      if (this.#bytes + bytes.length > most) return { because: `${this.#bytes} bytes are kept already` };
      const file = join(FOLDER, `${String(files + 1).padStart(3, '0')}-${milestone}.png`);
      writeNew(join(this.#workdir, file), bytes);
      this.#bytes += bytes.length;
      return { file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    } catch (error) {
      return { because: error instanceof Error ? error.message : String(error) };
    }
  }
}

/** Whole or absent, and never over another one. */
function writeNew(path: string, bytes: Buffer): void {
  const fd = openSync(path, 'wx', 0o644);
  try {
    writeFileSync(fd, bytes);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

interface Kept {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}
