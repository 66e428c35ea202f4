/** The one table of exit codes: what each means, whose fault it says it was. Help and README are made from it. */

export const EXIT = { fine: 0, failed: 1, misuse: 2, lab: 3, bug: 70, interrupted: 130 } as const;

export type Ending = keyof typeof EXIT;

interface ExitRow {
  /** How a phase calls that ending. */
  readonly verdict: string;
  /** Whose fault it is, for the README. */
  readonly fault: string;
  /** What it means of any command that says nothing else. */
  readonly meaning: string;
}

export const EXITS: Readonly<Record<Ending, ExitRow>> = {
  fine: {
    verdict: '`PASS`',
    fault: 'every check held; nothing stayed in the lab',
    meaning: 'done',
  },
  failed: {
    verdict: '`FAIL`',
    fault: 'the image, shown by evidence',
    meaning: 'the image is to blame, shown by evidence',
  },
  misuse: {
    verdict: 'misuse',
    fault: 'the caller: one sentence, nothing was created',
    meaning: 'misuse: one sentence says what was expected; nothing was begun',
  },
  lab: {
    verdict: '`ERROR`',
    fault:
      'the lab, the machine that ran this, or undetermined: says nothing about the image. ' +
      'Also a PASS that left something in the lab',
    meaning: 'this machine has no more files or memory to give',
  },
  bug: { verdict: '`ERROR`', fault: 'ours: a bug', meaning: 'our bug' },
  interrupted: { verdict: '`ERROR`', fault: 'interrupted; cleaned up', meaning: 'interrupted' },
};

const ENDINGS = Object.keys(EXIT) as readonly Ending[];

/** One code of a command's help; `code` is a text where it is not ours: that of a shell. */
export interface ExitLine {
  readonly code: number | 'other';
  readonly meaning: string;
}

/** Those of one command, by code. @param told what is said of them here; the others mean what they mean everywhere */
export function exitLines(endings: readonly Ending[], told: Partial<Record<Ending, string>>): readonly ExitLine[] {
  const own = ENDINGS.filter((ending) => endings.includes(ending));
  return own.map((ending) => ({ code: EXIT[ending], meaning: told[ending] ?? EXITS[ending].meaning }));
}

/** The README's table. */
export function exitTable(): readonly string[] {
  const rows = ENDINGS.map((ending) => `| ${EXITS[ending].verdict} | ${EXIT[ending]} | ${EXITS[ending].fault} |`);
  return ['| ending | exit | whose fault |', '|---|---|---|', ...rows];
}
