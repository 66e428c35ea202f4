/** For tests: a lab that is signed in, and the proof by listing that a guest left nothing behind. */
import type { Test } from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import type { GuestOrder, Lab } from '../../../harness/lab.ts';
import { openXoLab } from '../../../harness/xcpng/lab.ts';
import { hurried, openTestLab, type TestLab, within } from './test-lab.ts';

export interface Opened {
  readonly world: TestLab;
  readonly lab: Lab;
}

/** An endpoint and a lab signed in to it, both closed with the test. */
export async function openLab(t: Test, changes: Partial<TestLab['settings']> = {}): Promise<Opened> {
  const world = await openTestLab();
  const lab = await openXoLab({ ...world.settings, ...changes }, within(10_000));
  t.teardown(async () => {
    await lab.close();
    await world.close();
  });
  return { world, lab };
}

/** Code of the Fault that the work ends with. */
export const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing thrown',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  );

/** Clean-up with its own budget; then the pool's own books, not XO's word. */
export async function cleaned(t: Test, { world, lab }: Opened, order: GuestOrder): Promise<void> {
  t.same(await order.disposals.run(hurried(200_000)), [], 'clean-up says that nothing stayed');
  t.same(world.left(), [], 'the pool agrees');
  t.same(await lab.claimed(order.runId, within(5_000)), [], 'a listing by claim agrees');
}
