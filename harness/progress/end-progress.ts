/** The end of a program that tells of its progress. */
import { faultRecord } from '../faults.ts';
import type { Progress } from './progress.ts';

/** As after a PASS whose report in another format was not written. */
const OUTPUT_LOST = 3;
/** Of our own bug (design §3). */
const BUG = 70;

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
    if (code !== 0) return code;
    return ours ? BUG : OUTPUT_LOST;
  }
}
