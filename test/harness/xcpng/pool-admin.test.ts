/** A whole life as the user that is known to suffice, `admin` on the pool; and how little that user is told. */
import t, { type Test } from 'tap';
import type { Lab } from '../../../harness/lab.ts';
import { Secret } from '../../../harness/workdir/secrets.ts';
import { openXoLab } from '../../../harness/xcpng/lab.ts';
import { cleaned, codeOf } from './opened-lab.ts';
import { hurried, openTestLab, POOL_ADMIN, type TestLab, within } from './test-lab.ts';

async function asPoolAdmin(t: Test): Promise<{ readonly world: TestLab; readonly lab: Lab }> {
  const world = await openTestLab();
  const credential = { email: POOL_ADMIN.email, password: new Secret(POOL_ADMIN.password) };
  const lab = await openXoLab({ ...world.settings, credential }, within(10_000));
  t.teardown(async () => {
    await lab.close();
    await world.close();
  });
  return { world, lab };
}

t.test('admin on the pool suffices for a whole life', async (t) => {
  const opened = await asPoolAdmin(t);
  const order = opened.world.order();
  const guest = await opened.lab.provision(order);
  await guest.start(within(5_000));
  t.equal(guest.death(), null);
  await cleaned(t, opened, order);
});

t.test('what the pool refuses is hidden from that user, and the fault says who can see it', async (t) => {
  const opened = await asPoolAdmin(t);
  const order = opened.world.order();
  const guest = await opened.lab.provision(order);
  opened.world.mishaps.set('start-fails', 'SR_BACKEND_FAILURE_46');
  t.equal(await codeOf(guest.start(hurried(60_000))), 'XO_ERROR_HIDDEN');
  await cleaned(t, opened, order);
});

t.test('an administrator is told', async (t) => {
  const world = await openTestLab();
  const lab = await openXoLab(world.settings, within(10_000));
  t.teardown(async () => {
    await lab.close();
    await world.close();
  });
  const order = world.order();
  const guest = await lab.provision(order);
  world.mishaps.set('start-fails', 'SR_BACKEND_FAILURE_46');
  await t.rejects(guest.start(within(10_000)), { code: 'VM_START_REFUSED', message: /SR_BACKEND_FAILURE_46/ });
  await cleaned(t, { world, lab }, order);
});
