/** Prints a whole text to a stream, or says that it could not. */
import type { Writable } from 'node:stream';
import { Fault } from '../faults.ts';

/**
 * A reader who has left wants no more, and that is nobody's fault. A full disk has half a report, and
 * half a report must not end as a PASS.
 * @throws Fault OUTPUT_UNWRITABLE
 */
export function printWhole(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (!error || (error as NodeJS.ErrnoException).code === 'EPIPE') return resolve();
      reject(new Fault('OUTPUT_UNWRITABLE', `stdout cannot be written: ${error.message}`, { cause: error }));
    });
  });
}
