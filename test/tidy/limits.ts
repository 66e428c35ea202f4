/** Limits and permissions of the tidy test, as data. A row without a reason does not compile; a stale one fails. */

/** One screen and one sitting: what a reader can hold. */
export const LINES_PER_FUNCTION_MAX = 70;
export const LINES_PER_FILE_MAX = 250;
export const COLUMNS_MAX = 120;

export interface Permission {
  readonly what: RegExp;
  readonly name: string;
  /** Where the rule holds. */
  readonly files: readonly string[];
  /** Where the thing is allowed all the same, with the reason. */
  readonly allowed: Readonly<Record<string, string>>;
  readonly instead: string;
}

export const PERMISSIONS: readonly Permission[] = [
  {
    name: 'process.env',
    what: /^process\.env$/,
    files: ['harness/**', 'lab/**', 'scenarios/**', '*.ts'],
    allowed: {
      'harness/options/config.ts': 'the one reader of the environment in the harness',
      'lab/main.ts': 'the one reader of the environment in the lab',
      'lab/qemu-process.ts': 'QEMU is started with PATH and nothing else',
      'lab/guest/main.ts': 'where the cache lies, by XDG_CACHE_HOME',
      'lab/guest/recipe/command.ts': 'programs of the recipe run with the environment, in the C locale',
      'lab/guest/recipe/apt.ts': 'the mirror can be overridden',
    },
    instead: 'read it in config.ts (harness) or main.ts (lab) and hand it on',
  },
  {
    name: 'timers',
    what: /^(setTimeout|setInterval|setImmediate|node:timers.*)$/,
    files: ['harness/**', 'scenarios/**', '*.ts'],
    allowed: {
      'harness/deadline.ts': 'the one clock; everything that waits is handed it',
      'harness/ssh/attempt.ts': 'bounds one read of a socket from inside its events',
      'harness/ssh/session.ts': 'bounds a channel from inside its events',
      'harness/prepare/embedded.ts': 'ends a lab process that does not end by itself',
    },
    instead: 'wait with until(), byDeadline() or the clock of a Deadline',
  },
  {
    name: 'wall clock',
    what: /^(Date\.now|new Date)$/,
    files: ['harness/**', 'scenarios/**', '*.ts'],
    allowed: {
      'harness/invocation.ts': 'the workdir and the report carry the time of day',
      'harness/commands/nightly.ts': 'a night and its cases carry the time of day',
      'harness/commands/site.ts': 'a run that began after its page was made is of a wrong clock',
      'harness/progress/progress.ts': 'events carry the time of day',
      'harness/workdir/evidence.ts': 'evidence carries the time of day',
      'harness/workdir/journal.ts': 'the journal carries the time of day',
      'harness/ssh/session.ts': 'a command record carries the time of day',
      'harness/xcpng/endpoint.ts': 'compares XO’s clock with ours',
      'harness/process/predecessors.ts': 'records of runs are kept for a time',
      'harness/process/run-registry.ts': 'a guest is kept until a time of day',
      'harness/xcpng/sweep.ts': 'expiry is a time of day on XO’s clock',
      'harness/xcpng/lock.ts': 'expiry of a lock is a time of day on XO’s clock',
      'harness/image/plan.ts': 'an image file younger than a moment is not remembered',
    },
    instead: 'measure with the monotonic clock of a Deadline or performance.now()',
  },
];

export type Rule = 'file length' | 'function length' | 'unused file';

/** As few as possible. */
export const EXEMPT: readonly { readonly file: string; readonly rule: Rule; readonly because: string }[] = [];

/** Started by hand or by another process. Root files and scripts of package.json need no row. */
export const ENTRIES: Readonly<Record<string, string>> = {
  'lab/main.ts': 'the lab is a process of its own',
  'harness/console/ocr-main.ts': 'reads screens in a process of its own',
  'lab/guest/main.ts': 'builds the reference guest by hand',
};
