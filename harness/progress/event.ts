/**
 * What is told of a run or a night while it goes on: one closed union, which people, plain logs and programs all read.
 * `docs/events.md` describes each, `docs/events.schema.json` its form; a test holds both to what is really told.
 */

import type { FaultRecord, Status } from '../model.ts';
import type { KeptReport } from '../report/command-lines.ts';
import type { Standing } from '../report/summary.ts';

/** Version of the events; readers take older ones and refuse newer. New events and new fields do not raise it. */
export const EVENTS_SCHEMA = 1;

/** Why something ended as it did. */
export type Cause = Pick<FaultRecord, 'code' | 'party' | 'message' | 'remedy'>;

/** Of a stage of the timeline: whose it is, and what it may take in seconds, scaled; null: it has no budget. */
interface StageOf {
  /** Stages that nothing tells apart yet are one, with a joined name: `firmware+kernel`. */
  readonly stage: string;
  readonly guest: 'image' | 'control' | null;
  /** 1 for the first boot of the guest. */
  readonly boot: number;
  readonly budgetS: number | null;
}

export interface RunBegins {
  readonly event: 'run-begins';
  readonly runId: string;
  readonly scenario: string;
  /** `embedded`, or the lab file's path; `options`: there was none. */
  readonly lab: string;
  /** Null: the lab's own. */
  readonly image: string | null;
}

export interface WorkdirMade {
  readonly event: 'workdir-made';
  readonly workdir: string;
}

/** What is done, in words that people know: `provision`, `boot`, `probe`. One or more stages belong to it. */
export interface StepBegins {
  readonly event: 'step-begins';
  readonly step: string;
}

export interface StageBegins extends StageOf {
  readonly event: 'stage-begins';
}

/** It may name fewer stages than began: those that are known to be over. */
export interface StageEnds extends StageOf {
  readonly event: 'stage-ends';
  readonly seconds: number;
  /** Of its budget; above 1: it borrowed from the next. */
  readonly usedShare: number | null;
  /** What was seen. */
  readonly endedBy: string;
}

/** At most a few a second, the first and the last of each. */
export interface Transfer {
  readonly event: 'transfer';
  readonly what: 'upload' | 'decompress';
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** The guest has not answered yet. */
export interface Waiting {
  readonly event: 'waiting';
  /** What the last look saw. */
  readonly seen: string;
  readonly waitedS: number;
  readonly budgetS: number;
}

export interface Note {
  readonly event: 'note';
  readonly text: string;
}

/** Changes no verdict; somebody may want to act. */
export interface Warning {
  readonly event: 'warning';
  readonly text: string;
  /** Something stays in the lab by mistake, of another run: said also when quiet. */
  readonly stays?: true;
}

/** Nothing was run: the call was refused, or something was missing. The last event of its stream. */
export interface Refused {
  readonly event: 'refused';
  readonly cause: Cause;
  readonly exitCode: number;
  /** Lines that help the caller. */
  readonly hints: readonly string[];
}

/** The last event of a phase. */
export interface RunEnds {
  readonly event: 'run-ends';
  readonly runId: string;
  readonly scenario: string;
  readonly status: Status;
  /** As people read it: `PASS phase9-xcpng-boot`. */
  readonly headline: string;
  /** Null: it passed. */
  readonly cause: Cause | null;
  readonly exitCode: number;
  readonly seconds: number;
  readonly workdir: string;
  /** The phase's own keys of the metadata. */
  readonly facts: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
  /** The guest that stays for a person; null: none does. */
  readonly kept: Pick<KeptReport, 'vm' | 'name' | 'until' | 'afterwards' | 'commands'> | null;
  /** What stayed in the lab by mistake. */
  readonly leaked: readonly string[];
  /** What went wrong with the outputs themselves. */
  readonly problems: readonly string[];
  /** Command that runs the same again. */
  readonly repeat: string;
  /** Files and folders (ending in `/`) of the workdir that tell more. */
  readonly look: readonly string[];
}

export interface NightBegins {
  readonly event: 'night-begins';
  readonly night: string;
  readonly plan: string;
  /** Where its workdirs are. */
  readonly dir: string;
  readonly labs: readonly { readonly lab: string; readonly lanes: number; readonly cases: readonly string[] }[];
}

/** The case's process is started; what it tells follows with the same `case` and `attempt`. */
export interface AttemptBegins {
  readonly event: 'attempt-begins';
  readonly lab: string;
}

/** A fault of the lab ended the attempt, and another one follows. */
export interface AttemptRepeated {
  readonly event: 'attempt-repeated';
  readonly cause: Cause;
}

/** The remaining cases of this lab end with the same cause. */
export interface LabGivenUp {
  readonly event: 'lab-given-up';
  readonly lab: string;
  readonly cause: Cause;
}

export interface CaseEnds {
  readonly event: 'case-ends';
  readonly lab: string;
  readonly status: Status;
  /** How it counts in the night. */
  readonly standing: Standing;
  readonly cause: Cause | null;
  /** Why it was skipped; null: it was not. */
  readonly skipped: string | null;
  readonly exitCode: number;
  readonly seconds: number;
  readonly attempts: number;
  readonly leaked: readonly string[];
  readonly workdir: string | null;
}

/** Something of the night that is no case's: a known failure that has expired, a history that was not written. */
export interface Remarked {
  readonly event: 'remark';
  readonly level: 'failure' | 'lost' | 'warning';
  readonly text: string;
}

/** The last event of a night. */
export interface NightEnds {
  readonly event: 'night-ends';
  readonly night: string;
  readonly exitCode: number;
  readonly seconds: number;
  readonly cases: number;
  /** How many cases count how; those that are none are left out. */
  readonly counts: Readonly<Partial<Record<Standing, number>>>;
  readonly dir: string;
}

/** The reader was too slow: so many events before this one were left out. Ends are never left out. */
export interface Lost {
  readonly event: 'lost';
  readonly count: number;
}

/** What happened, before it is stamped. */
export type Happening =
  | RunBegins
  | WorkdirMade
  | StepBegins
  | StageBegins
  | StageEnds
  | Transfer
  | Waiting
  | Note
  | Warning
  | Refused
  | RunEnds
  | NightBegins
  | AttemptBegins
  | AttemptRepeated
  | LabGivenUp
  | CaseEnds
  | Remarked
  | NightEnds
  | Lost;

export type EventName = Happening['event'];

/** Of a night: which case, and which attempt at it (1 for the first). Null: of the night, or of a phase. */
export interface Of {
  readonly case: string | null;
  readonly attempt: number | null;
}

export interface Stamp extends Of {
  readonly schema: typeof EVENTS_SCHEMA;
  /** ISO 8601, of this machine's clock. */
  readonly time: string;
  /** Seconds since the stream began, on a clock that is never set. */
  readonly elapsedS: number;
}

export type Event = Stamp & Happening;

/** Told what happens; no opinion about where it is shown. Never throws. */
export type Tell = (happening: Happening, of?: Of) => void;

/** Every event by name, so that a new one cannot be forgotten where they are listed. */
export const EVENT_NAMES: Readonly<Record<EventName, true>> = {
  ...{ 'run-begins': true, 'workdir-made': true, 'step-begins': true, 'stage-begins': true, 'stage-ends': true },
  ...{ transfer: true, waiting: true, note: true, warning: true, refused: true, 'run-ends': true },
  ...{ 'night-begins': true, 'attempt-begins': true, 'attempt-repeated': true, 'lab-given-up': true },
  ...{ 'case-ends': true, remark: true, 'night-ends': true, lost: true },
};

/** How a stream, or what is part of it, ends: never left out, whatever happens to the rest. */
export const ENDINGS: ReadonlySet<EventName> = new Set(['refused', 'run-ends', 'case-ends', 'remark', 'night-ends']);
