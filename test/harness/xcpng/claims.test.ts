/** What a claim says, and what may be deleted by it. */
import t from 'tap';
import { claimDescription, isOwn, makeClaim, runTag, selfTag, tagsOf } from '../../../harness/xcpng/claims.ts';

const claim = makeClaim({ runId: 'r 1', caseId: 'c', xoNowMs: Date.UTC(2026, 0, 1), ttlMs: 3_600_000 });

t.test('the claim', async (t) => {
  t.equal(claim.expires, '2026-01-01T01:00:00.000Z', "XO's clock plus the time to live");
  t.same(claim.tags.slice(0, 3), ['bootwitness', 'bootwitness:run=r%201', 'bootwitness:case=c']);
  t.ok(claim.tags.includes(runTag('r 1')));
  const other = makeClaim({ runId: 'r 1', caseId: 'c', xoNowMs: 0, ttlMs: 1 });
  t.not(other.guestTag, claim.guestTag, 'two guests of one case differ');
  t.same(tagsOf(claimDescription(claim)), claim.tags, 'a description carries the same');
  t.same(tagsOf(claimDescription(claim, 'u')), [...claim.tags, selfTag('u')]);
});

t.test('only what names itself may go', async (t) => {
  const { tags, guestTag } = claim;
  t.equal(isOwn(tags, guestTag, 'u'), true, 'quite new: names nobody');
  t.equal(isOwn([...tags, selfTag('u')], guestTag, 'u'), true);
  t.equal(isOwn([...tags, selfTag('u')], guestTag, 'copy'), false, 'a clone copied the tags');
  t.equal(isOwn(['bootwitness'], guestTag, 'u'), false, 'somebody else of ours');
  t.equal(isOwn([], guestTag, 'u'), false);
});
