/** The end of a program that tells of its progress. */
import { faultRecord } from '../faults.ts';
import type { Progress } from './progress.ts';

/** As after a PASS whose report in another format was not written. */
const OUTPUT_LOST = 3;

/** @returns the exit code: that of the verdict, raised where what was told is not whole */
export async function endProgress(told: Progress, code: number): Promise<number> {
  try {
    await told.end();
    return code;
  } catch (thrown) {
    const { message, remedy } = faultRecord(thrown);
    process.stderr.write(`${message}. ${remedy}\n`);
    return code === 0 ? OUTPUT_LOST : code;
  }
}
