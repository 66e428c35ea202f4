/** The end of a program that tells of its progress. */
import { EXIT } from '../../help/exits.ts';
import { faultRecord } from '../faults/faults.ts';
import type { Progress } from './progress.ts';

/** @returns the exit code: that of the verdict, raised where what was told is not whole */
export async function endProgress(told: Progress, code: number): Promise<number> {
  try {
    await told.end();
    return code;
  } catch (thrown) {
    const { message, remedy, party } = faultRecord(thrown);
    process.stderr.write(`${message}. ${remedy}\n`);
    const ours = party === 'harness';
    if (ours && thrown instanceof Error) process.stderr.write(`${thrown.stack}\n`);
    if (code !== EXIT.fine) return code;
    return ours ? EXIT.bug : EXIT.lab;
  }
}
