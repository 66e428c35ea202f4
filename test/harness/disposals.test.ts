import t from 'tap';
import { Deadline } from '../../harness/deadline.ts';
import { Disposals } from '../../harness/disposals.ts';

t.test('intents are journalled before, undone newest first, and a failure stops nothing', async (t) => {
  const journal: unknown[] = [];
  const order: string[] = [];
  const disposals = new Disposals((entry) => journal.push(entry.event));
  disposals.register('VDI', { claim: 'x' }, async () => {
    order.push('VDI');
    return [];
  });
  t.same(journal, ['intent'], 'on disk before the create call');
  disposals.register('VM', {}, async () => {
    order.push('VM');
    throw new Error('XO is away');
  });
  disposals.register('tag', {}, async () => {
    order.push('tag');
    return ['tag t-1 would not go'];
  });
  const left = await disposals.run(Deadline.after(1_000, new AbortController().signal));
  t.same(order, ['tag', 'VM', 'VDI']);
  t.same(left, ['tag t-1 would not go', 'VM: XO is away']);
  t.same(journal.slice(-3), ['stayed', 'undo-failed', 'undone']);
  t.same(
    await disposals.run(Deadline.after(1_000, new AbortController().signal)),
    [],
    'a second run undoes nothing twice',
  );
});

t.test('a journal that cannot be written any more (full disk) does not stop the clean-up', async (t) => {
  let full = false;
  const disposals = new Disposals(() => {
    if (full) throw new Error('ENOSPC');
  });
  const order: string[] = [];
  for (const what of ['slot', 'VDI', 'VM']) {
    disposals.register(what, {}, async () => {
      order.push(what);
      if (what === 'VDI') throw new Error('XO is away');
      return [];
    });
  }
  full = true;
  const left = await disposals.run(Deadline.after(1_000, new AbortController().signal));
  t.same(order, ['VM', 'VDI', 'slot']);
  t.same(left, ['VDI: XO is away']);
});
