/** For tests: rows of the index, a letter for each night. */
import type { RunRow } from '../../../harness/history/run-row.ts';

export const DAY_MS = 24 * 3_600_000;
export const START_MS = Date.parse('2026-03-01T00:00:00Z');

/** One letter for each night: P(ASS), F(AIL), E(RROR), I(nterrupted), S(KIP), `.` did not run. */
export function nights(letters: string, more: Partial<RunRow> = {}): readonly RunRow[] {
  return [...letters].flatMap((letter, index) => {
    if (letter === '.') return [];
    const [status, party] = (
      {
        P: ['PASS', null],
        F: ['FAIL', 'image'],
        E: ['ERROR', 'lab'],
        I: ['ERROR', 'nobody'],
        S: ['SKIP', null],
      } as const
    )[letter] ?? ['PASS', null];
    return {
      ...{
        id: `${more.image ?? 'i'}-${index}`,
        startedMs: START_MS + index * DAY_MS,
        scenario: 's',
        bootMode: 'm',
        lab: 'l',
        labKind: 'xo',
      },
      ...{ status, party, code: party && 'CODE', message: '', remedy: '', failed: [], unobserved: [], image: 'i' },
      ...{
        imageSha256: `sha-${index}`,
        closure: null,
        scenarioSha256: 'sc',
        harness: '1',
        xo: '5',
        host: 'h',
        firmware: 'bios',
      },
      ...{
        boots: 1,
        budgetScale: 1,
        reference: false,
        seconds: 1,
        exitCode: 0,
        bootS: 1,
        stages: {},
        bakedPrefixes: null,
      },
      ...{ leaked: 0, night: `n${index}`, known: null, workdir: '/w', repeat: '', lastFrame: null },
      ...more,
    };
  });
}
