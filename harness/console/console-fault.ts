/** A stop that the console shows though every check held: the run is no PASS then, and no FAIL either. */
import { Fault, faultRecord } from '../faults/faults.ts';
import type { FaultRecord, JudgedCheck } from '../model.ts';
import type { ConsoleWitness } from './witness.ts';

/** @param console null: no guest was started. @returns null where some check did not hold, or nothing was shown */
export async function consoleFault(
  console: ConsoleWitness | null,
  checks: readonly JudgedCheck[],
): Promise<FaultRecord | null> {
  if (console === null || checks.some(({ outcome }) => outcome !== 'held')) return null;
  const shown = await console.afterwards();
  if (shown === null) return null;
  const blame = shown.proves === 'image' ? 'which only the image can cause' : 'which does not tell who is to blame';
  const where = shown.source === 'screen' ? 'its screen, as far as it can be read' : 'its serial port';
  return faultRecord(
    new Fault(
      'CONSOLE_FAULT',
      `every check held, but after the guest had answered ${where} shows "${shown.line}" (${shown.name}), ${blame}`,
    ),
  );
}
