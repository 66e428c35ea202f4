/** What the names of a night's images hide is told: one that stands for two images, one that is the lab's own. */
import t from 'tap';
import { changedImages, ownImages } from '../../../harness/night/image-remarks.ts';
import { caseOf } from '../reporters/summaries.ts';
import { PHASES } from './phases.ts';

const lab = { name: 'pool', lab: 'pool', images: [], parallel: null, args: [] };
const imageOf = (name: string, file: string | null) => ({
  ...{ name, file, scenarios: [], expectClosure: null, sshKey: null, control: null },
});

/** @param cases image, its file, the digest that the case read */
type Read = readonly [string, string | null, string | null];
function told(...cases: readonly Read[]) {
  const night = cases.map(([image, file, digest], nth) => ({
    theCase: {
      ...{ name: `case${nth}`, phase: PHASES[0], image: imageOf(image, file), lab, args: [], repeat: '' },
    },
    digest,
  }));
  const summaries = new Map(night.map(({ theCase, digest }) => [theCase.name, caseOf('i', { imageSha256: digest })]));
  const labs = [{ name: 'pool', lanes: 1, because: '', cases: night.map(({ theCase }) => theCase) }];
  const lines = (remarks: ReturnType<typeof ownImages>) => remarks.map(({ level, text }) => `${level}: ${text}`);
  return { changed: lines(changedImages(labs, summaries)), own: lines(ownImages(labs)) };
}

t.test('an image of two digests is told, with a case for each', async (t) => {
  const [one, two] = ['1'.repeat(64), '2'.repeat(64)];
  t.same(told(['a', '/a.raw', one], ['b', '/b.raw', two], ['a', '/a.raw', one]).changed, []);
  t.same(told(['a', '/a.raw', one], ['a', '/a.raw', null], ['a', '/a.raw', two], ['a', '/a.raw', two]).changed, [
    'warning: image a was written to during the night, and is not the same in all cases: 111111111111 in case0, ' +
      '222222222222 in case2',
  ]);
  t.same(told(['ref', null, one], ['ref', null, two]).changed, [], 'a lab has an image of its own for each boot mode');
});

t.test('an image without a file is told once: what passes is the reference guest', async (t) => {
  t.same(told(['a', '/a.raw', null], ['b', null, null], ['b', null, null]).own, [
    'warning: image b has no file: what runs is the reference guest of the lab, and says nothing about yours',
  ]);
});
