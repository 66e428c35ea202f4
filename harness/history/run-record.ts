/**
 * One run as it is kept for ever in `reports/runs/<run-id>.json`: the workdir's `result.json` with what is lost
 * together with it (evidence behind the checks, the end of the console's text, names of its pictures) under `history`.
 */
import { type Report, resultJson } from '../report/report.ts';

/** Version of the part named `history`; readers take older ones and refuse newer, as with `result.json`. */
export const HISTORY_SCHEMA = 1;

/** Run ids are names of files and parts of links: nothing that could be a path, or hidden. */
export const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Pictures of the console. */
export const FRAME_NAME = /^[A-Za-z0-9][\w.-]{0,99}\.png$/;

/** Names of nights are shown and compared, and never a path. */
export const NIGHT_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

/** A failure that somebody has named beforehand; not part of the verdict. */
export interface KnownFailure {
  readonly reason: string;
  /** Where it is discussed; empty: nowhere. */
  readonly link: string;
  /** `2026-12-31`. */
  readonly expires: string;
}

/** What a nightly knows of a run beside its report. */
export interface Night {
  /** The same for all runs of one night; null: a run by itself. */
  readonly night: string | null;
  readonly known: KnownFailure | null;
}

export const NO_NIGHT: Night = { night: null, known: null };

/** One line of the evidence that a check points to, cut. */
export interface EvidenceExcerpt {
  readonly kind: string;
  readonly name: string;
  /** ISO 8601. */
  readonly at: string;
  /** What the probe saw, by name; long values end with ` …`. Null: it saw nothing. */
  readonly facts: Readonly<Record<string, string>> | null;
  /** Why it saw nothing; empty where it did. */
  readonly unseen: string;
  /** The command behind it; null: there was none. */
  readonly command: CommandExcerpt | null;
}

export interface CommandExcerpt {
  readonly exit: number | null;
  readonly ms: number;
  readonly stderr: string;
  /** Anything that makes its output less than whole: `cut`, `timed out`, or how the channel ended; else empty. */
  readonly flaw: string;
}

/** The console at one moment of the run. */
export interface ConsoleMoment {
  /** Seconds since the run began. */
  readonly s: number;
  /** `power-on`, `change`, `answered`, `end` …, `no screen`; `control-` before it: of the control image. */
  readonly milestone: string;
  /** File name of its picture, the same as of an earlier moment where nothing had changed; null: there is none. */
  readonly picture: string | null;
  /** Pixels of the screen; null: not known. */
  readonly size: readonly [width: number, height: number] | null;
  /** Why there is no picture; empty: there is one. */
  readonly why: string;
  /** What a reader of screens made of it; null: it was not read. */
  readonly read: string | null;
}

export interface ConsoleExcerpt {
  /** File names of the pictures in `<run-id>.console/`, in their order. */
  readonly frames: readonly string[];
  /** In the order of time; records of older versions have none. */
  readonly moments: readonly ConsoleMoment[];
  /** Pictures of the workdir that found no room. */
  readonly framesLeftOut: number;
  /** End of its text; null: there is none. */
  readonly text: { readonly source: string; readonly end: string } | null;
}

/** What is added to a run's `result.json`. */
export interface HistoryPart extends Night {
  readonly schema: typeof HISTORY_SCHEMA;
  /** By the number in `evidence.ndjson#<number>`. */
  readonly evidence: Readonly<Record<string, EvidenceExcerpt>>;
  readonly console: ConsoleExcerpt;
}

/** The text of the file; secrets are scrubbed by whoever writes it. */
export function recordText(report: Report, history: HistoryPart): string {
  const result = JSON.parse(resultJson(report)) as Record<string, unknown>;
  return `${JSON.stringify({ ...result, history })}\n`;
}
