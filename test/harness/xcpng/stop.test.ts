/** Ways to stop a VM that stays: the gentlest that works, and no word of success from XO that is believed. */
import t, { type Test } from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import { openSession, type Session } from '../../../harness/xcpng/session.ts';
import { stopVm } from '../../../harness/xcpng/stop.ts';
import { hastened, openTestLab, type TestLab, within } from './test-lab.ts';

interface Started {
  readonly world: TestLab;
  readonly session: Session;
  readonly uuid: string;
}

async function started(t: Test): Promise<Started> {
  const world = await openTestLab();
  const { url, credential, tls } = world.settings;
  const session = await openSession({ url, credential, tls, deadline: within(5_000) });
  t.teardown(async () => {
    await session.close();
    await world.close();
  });
  const [template] = session.objects.all('VM-template').filter(({ name }) => name === 'Other install media');
  const params = { name_label: 'theirs', template: template?.id, VDIs: [], VIFs: [] };
  const uuid = String(await session.call('vm.create', params, within(5_000)));
  await session.call('vm.start', { id: uuid }, within(5_000));
  await session.objects.waitFor(within(5_000), 'the VM', 'XO_OBJECT_LATE', () =>
    session.objects.get('VM', uuid)?.powerState === 'Running' ? { done: true } : { seen: 'not yet' },
  );
  return { world, session, uuid };
}

const stop = ({ session, uuid }: Started, powerOff: (() => Promise<void>) | null, factor = 100): Promise<string> => {
  const poolId = session.objects.get('VM', uuid)?.pool ?? '';
  return stopVm({ session, poolId, uuid, powerOff, deadline: hastened(factor, 2_000 * factor) });
};

const guestGoes = (given: Started) => async (): Promise<void> => given.world.backend.started.at(-1)?.powerOff();
const nobodyGoes = async (): Promise<void> => undefined;

t.test('XO refuses to shut it down cleanly: over SSH, then hard', async (t) => {
  for (const code of ['10', '14']) {
    const given = await started(t);
    given.world.mishaps.set('no-clean-shutdown', code);
    t.equal(await stop(given, guestGoes(given)), 'ssh', `code ${code}`);
    t.equal(await stop(given, nobodyGoes), 'not-running', 'once is enough');
  }
  const ignored = await started(t);
  t.equal(await stop(ignored, nobodyGoes), 'force', 'a guest that was asked and stays');
  const locked = await started(t);
  t.equal(await stop(locked, null), 'force', 'a guest that let nobody in');
});

t.test('a guest with tools that never goes is stopped hard within the time there is', async (t) => {
  const given = await started(t);
  const { session } = given;
  /** Xen Orchestra itself waits for ever for such a guest. */
  const call: Session['call'] = async (method, params, deadline) => {
    if (method !== 'vm.stop' || params.force === true) return session.call(method, params, deadline);
    await deadline.clock.sleep(deadline.remainingMs(), deadline.signal);
    throw new Fault('XO_CALL_TIMEOUT', 'vm.stop was not answered');
  };
  const hanging = new Proxy(session, {
    get: (target, key) => (key === 'call' ? call : Reflect.get(target, key, target)),
  });
  const options = { session: hanging, poolId: session.objects.get('VM', given.uuid)?.pool ?? '', uuid: given.uuid };
  // What clean-up has: less than the gentle ways would take one after the other.
  t.equal(await stopVm({ ...options, powerOff: nobodyGoes, deadline: hastened(100, 180_000) }), 'force');
});

t.test('a power state that is stuck is waited out', async (t) => {
  const given = await started(t);
  given.world.mishaps.set('stuck-power-state', '0.5');
  t.equal(await stop(given, null), 'force');
});

t.test('and reported where it stays', async (t) => {
  const given = await started(t);
  given.world.mishaps.set('stuck-power-state', '30');
  await t.rejects(stop(given, null, 400), { code: 'VM_STUCK', message: /runs on after a hard stop.*Running/ });
});

t.test('a VM that is gone is not stopped', async (t) => {
  const given = await started(t);
  const { session, uuid } = given;
  const stopping = stop(given, async () => {
    await session.call('vm.stop', { id: uuid, force: true }, within(5_000));
    await session.call('vm.delete', { id: uuid }, within(5_000));
  });
  const ended = await stopping.catch((error: unknown) => error);
  t.ok(ended === 'ssh' || (ended as { code?: string }).code === 'VM_LOST', String(ended));
});
