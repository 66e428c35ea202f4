/**
 * The runs of this machine that may have made something in a lab, one small file each, until their clean-up has shown
 * that nothing stayed. A run that was killed is found here by the next one.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../workdir/make-folder.ts';
import { writeWhole } from '../workdir/workdir.ts';
import { type ProcessPlace, placeOf, processState } from './process-place.ts';

interface RunRecord extends RegisteredProcess {
  readonly runId: string;
  /** URL of Xen Orchestra. */
  readonly url: string;
  readonly workdir: string;
  readonly startedAt: string;
  /** Its guest is kept until then, by the clock of this machine (ISO 8601); absent: none is. */
  readonly keptUntil?: string;
}

export interface RegisteredProcess extends ProcessPlace {
  /** True: it has ended by itself, whoever has its pid now. */
  readonly ended: boolean;
}

export interface RegisteredRun {
  readonly runId: string;
  readonly workdir: string;
  readonly pid: number;
  /** `unknown`: it may run on another machine, or in another container. `kept`: its guest is, for a person. */
  readonly state: 'alive' | 'dead' | 'unknown' | 'kept';
}

/** After that nothing of a run is left that its claim does not name as expired. */
const FORGOTTEN_AFTER_DAYS = 60;
/** The grace of a sweep, and a minute for clocks that drift. */
const KEPT_LONGER_MS = 3 * 60_000;
const DAY_MS = 24 * 3_600_000;

function isRecord(value: unknown): value is RunRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { runId, pid, url, workdir, host, ended, startedAt } = value as Record<string, unknown>;
  const texts = [runId, url, workdir, host, startedAt].every((each) => typeof each === 'string');
  return texts && Number.isSafeInteger(pid) && typeof ended === 'boolean';
}

export class RunRegistry {
  readonly #dir: string;

  /** @param cacheDir made when it is first needed */
  constructor(cacheDir: string) {
    this.#dir = join(cacheDir, 'runs');
  }

  /** To be called before anything is made. */
  add(run: Pick<RunRecord, 'runId' | 'url' | 'workdir' | 'startedAt'>): void {
    this.#write({ ...run, ...placeOf(), ended: false });
  }

  /** Its guest stays for so long, also when the run is gone; after that it is dead. */
  keep(runId: string, forMs: number): void {
    const record = this.#read(runId);
    // The lab's clock decides what has expired there: it must not be asked too early.
    const keptUntil = new Date(Date.now() + forMs + KEPT_LONGER_MS).toISOString();
    if (record !== null) this.#write({ ...record, ended: true, keptUntil });
  }

  /** Its clean-up is over. @param stayed true: something did, and the next run shall look for it */
  ended(runId: string, stayed: boolean): void {
    const record = this.#read(runId);
    if (record === null) return;
    const { keptUntil: _, ...rest } = record;
    if (stayed) this.#write({ ...rest, ended: true });
    else this.forget(runId);
  }

  forget(runId: string): void {
    rmSync(this.#file(runId), { force: true });
  }

  /** Who a run was; null: nobody wrote it down, or nothing of it stayed. */
  processOf(runId: string): RegisteredProcess | null {
    return this.#read(runId);
  }

  /** The runs against this Xen Orchestra. */
  runs(url: string): readonly RegisteredRun[] {
    return this.#all()
      .filter((record) => record.url === url)
      .map((record) => ({ ...record, state: isKept(record) ? 'kept' : stateOf(record) }));
  }

  /** @param nowMs time of day */
  forgetOld(nowMs: number): void {
    for (const { runId, startedAt } of this.#all()) {
      if (nowMs - Date.parse(startedAt) > FORGOTTEN_AFTER_DAYS * DAY_MS) this.forget(runId);
    }
  }

  #all(): readonly RunRecord[] {
    let names: readonly string[];
    try {
      names = readdirSync(this.#dir);
    } catch {
      return []; // no run was registered yet
    }
    return names.filter((name) => name.endsWith('.json')).flatMap((name) => this.#read(name.slice(0, -5)) ?? []);
  }

  #read(runId: string): RunRecord | null {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#file(runId), 'utf8'));
      return isRecord(value) && value.runId === runId ? value : null;
    } catch {
      return null; // gone meanwhile, or not one of ours: the claim's expiry serves
    }
  }

  #write(record: RunRecord): void {
    makeFolder(this.#dir);
    writeWhole(this.#file(record.runId), `${JSON.stringify(record, null, 2)}\n`);
  }

  #file(runId: string): string {
    return join(this.#dir, `${runId}.json`);
  }
}

/** Also where the run was killed while it marked its guest. */
const isKept = ({ keptUntil }: RunRecord): boolean => keptUntil !== undefined && Date.parse(keptUntil) > Date.now();

const stateOf = (record: RunRecord): RegisteredRun['state'] => (record.ended ? 'dead' : processState(record));
