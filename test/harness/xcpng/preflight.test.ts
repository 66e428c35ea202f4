/** The look before anything is made: figures that may be old only warn, and dynamic memory counts. */
import t, { type Test } from 'tap';
import type { Lab } from '../../../harness/lab.ts';
import { plannedPlace, resolvePlacement } from '../../../harness/xcpng/placement.ts';
import { preflight, reclaimableOn } from '../../../harness/xcpng/preflight.ts';
import { openSession, type Session } from '../../../harness/xcpng/session.ts';
import { cleaned, codeOf, openLab } from './opened-lab.ts';
import { openTestLab, type TestLab, within } from './test-lab.ts';

async function opened(t: Test): Promise<{ readonly world: TestLab; readonly session: Session }> {
  const world = await openTestLab();
  const { url, credential, tls } = world.settings;
  const session = await openSession({ url, credential, tls, deadline: within(5_000) });
  t.teardown(async () => {
    await session.close();
    await world.close();
  });
  return { world, session };
}

/** After the poll comes its notification, and before the second answer. */
async function shownTo(world: TestLab, lab: Lab): Promise<void> {
  await world.endpoint.world.view.polled();
  for (const _ of [1, 2]) await lab.claimed('nobody', within(5_000));
}

t.test('figures that may lag warn, and only they', async (t) => {
  const { world, session } = await opened(t);
  const look = (figuresMayLag: boolean): readonly string[] => {
    const placement = resolvePlacement(session.objects, world.settings);
    return preflight(session.objects, placement, { shape: world.settings.shape, image: world.image, figuresMayLag });
  };
  const show = async (name: string, value?: string): Promise<void> => {
    world.mishaps.set(name, value);
    world.endpoint.world.inventory.touch();
    const before = JSON.stringify([session.objects.all('SR'), session.objects.all('host')]);
    await session.objects.waitFor(within(5_000), name, 'XO_OBJECT_LATE', () => {
      const now = JSON.stringify([session.objects.all('SR'), session.objects.all('host')]);
      return now === before ? { seen: 'as before' } : { done: true };
    });
  };
  t.same(look(false), []);
  await show('sr-size', '1');
  t.throws(() => look(false), { code: 'SR_FULL', party: 'lab' });
  t.match(look(true), [
    /: 1 MiB free of 1 MiB, needed \d+ MiB .*; tried all the same, since the figures may still count/,
  ]);
  await show('host-free', '10');
  t.match(look(true), [/^SR /, /512 MiB, and the only host .*: 10 MiB free of 4\.0 GiB; tried all the same/]);
  await show('host-disabled');
  t.throws(() => look(true), { code: 'HOST_UNUSABLE' }, 'a state is no figure');
});

t.test('the second guest of a run is not refused for what the first one took', async (t) => {
  const { world, lab } = await openLab(t);
  const first = world.order();
  await lab.provision(first);
  await cleaned(t, { world, lab }, first);
  world.mishaps.set('sr-size', '1');
  world.endpoint.world.inventory.touch();
  await shownTo(world, lab);
  const warnings: string[] = [];
  const second = world.order({ purpose: 'control', onWarning: (line) => warnings.push(line) });
  await lab.provision(second);
  t.match(warnings, [/1 MiB free of 1 MiB.*tried all the same/]);
  await cleaned(t, { world, lab }, second);
  const fresh = await openLab(t);
  fresh.world.mishaps.set('sr-size', '1');
  fresh.world.endpoint.world.inventory.touch();
  await shownTo(fresh.world, fresh.lab);
  t.equal(await codeOf(fresh.lab.provision(fresh.world.order())), 'SR_FULL', 'the first one is');
  t.same(fresh.world.left(), []);
});

t.test('memory that can be taken back from others', async (t) => {
  const { session } = await opened(t);
  const host = session.objects.all('host')[0]?.id ?? '';
  const vm = (id: string, more: object) => ({
    ...{ type: 'VM', uuid: id, name_label: id, $pool: 'P', power_state: 'Running', $container: host },
    ...{ tags: [], $VBDs: [], VIFs: [], ...more },
  });
  const items = {
    a: vm('a', { memory: { size: 4000, dynamic: [1000, 4000] } }),
    b: vm('b', { memory: { size: 500, dynamic: [500, 500] } }),
    c: vm('c', { memory: { size: 900, dynamic: [100, 900] }, power_state: 'Halted' }),
    d: vm('d', { memory: { size: 900, dynamic: [100, 900] }, $container: 'another' }),
  };
  session.objects.notify({ type: 'enter', items });
  t.equal(reclaimableOn(session.objects)(host), 3000);
});

t.test('what is planned is told by name and uuid', async (t) => {
  const { world, session } = await opened(t);
  const place = plannedPlace(resolvePlacement(session.objects, world.settings), world.settings);
  t.match(place, {
    ...{ host: null, hostOrdered: false, firmware: 'bios', memoryMiB: 512, cpus: 1, nic: null },
    ...{ template: { name: 'Other install media' }, sr: { name: 'Embedded local storage', uuid: /^[0-9a-f-]{36}$/ } },
  });
});
