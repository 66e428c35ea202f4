/** What a sweep does with a machine that is kept for a person. Pure. */
import t from 'tap';
import { claimDescription, keptTag, makeClaim, selfTag } from '../../../harness/xcpng/claims.ts';
import { chooseSweep, type SweepWish } from '../../../harness/xcpng/sweep-choice.ts';

const DEAD = '00000000-0000-4000-8000-00000000dead';
const dead = (runId: string): SweepWish['dead'][number] => ({ runId, made: new Set(), guests: new Map() });
const wish = (changes: Partial<SweepWish>): SweepWish => ({
  ...{ dead: [], only: null, dryRun: false, takesKept: false },
  ...changes,
});

t.test('what is kept is respected until its time, also where its run is dead; its disk goes with it', async (t) => {
  const now = Date.parse('2026-04-02T12:00:00Z');
  const claim = makeClaim({ runId: DEAD, caseId: 'c', xoNowMs: now, ttlMs: -3_600_000 });
  const pool = (until: string) =>
    new Map<string, Record<string, unknown>>([
      ['vm', { type: 'VM', $pool: 'p', tags: [...claim.tags, selfTag('vm'), keptTag(until)], snapshots: [] }],
      ['vdi', { type: 'VDI', $pool: 'p', name_description: claimDescription(claim, 'vdi') }],
      ['vbd', { type: 'VBD', VDI: 'vdi', VM: 'vm' }],
    ]);
  const what = (until: string, changes: Partial<SweepWish>): readonly string[] =>
    chooseSweep(pool(until), wish(changes), now).map((choice) => `${choice.what} ${choice.id}`);
  const [later, over] = ['2026-04-02T12:00:01.000Z', '2026-04-02T11:57:00.000Z'];
  for (const changes of [{}, { dead: [dead(DEAD)] }, { dead: [dead(DEAD)], only: [DEAD] }]) {
    t.same(what(later, changes), ['leave vm', 'leave vdi']);
    t.same(what(over, changes), ['remove vm', 'remove vdi']);
    t.same(what('some day', changes), ['leave vm', 'leave vdi'], 'a time that cannot be read ends nothing');
  }
  t.same(what(later, { only: [DEAD], takesKept: true }), ['remove vm', 'remove vdi'], 'by hand');
});
