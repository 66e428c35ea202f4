/** An image that is written to during a night is told: one name would stand for two images. */
import t from 'tap';
import { changedImages } from '../../../harness/night/changed-images.ts';
import { caseOf } from '../reporters/summaries.ts';
import { PHASES } from './phases.ts';

const lab = { name: 'pool', lab: 'pool', images: [], parallel: null, args: [] };
const imageOf = (name: string, file: string | null) => ({
  ...{ name, file, scenarios: [], expectClosure: null, sshKey: null, control: null },
});

/** @param cases image, its file, the digest that the case read */
function told(...cases: readonly (readonly [string, string | null, string | null])[]) {
  const night = cases.map(([image, file, digest], nth) => ({
    theCase: {
      ...{ name: `case${nth}`, phase: PHASES[0], image: imageOf(image, file), lab, args: [], repeat: '' },
    },
    digest,
  }));
  const summaries = new Map(night.map(({ theCase, digest }) => [theCase.name, caseOf('i', { imageSha256: digest })]));
  const labs = [{ name: 'pool', lanes: 1, because: '', cases: night.map(({ theCase }) => theCase) }];
  return changedImages(labs, summaries).map(({ level, text }) => `${level}: ${text}`);
}

t.test('an image of two digests is told, with a case for each', async (t) => {
  const [one, two] = ['1'.repeat(64), '2'.repeat(64)];
  t.same(told(['a', '/a.raw', one], ['b', '/b.raw', two], ['a', '/a.raw', one]), []);
  t.same(told(['a', '/a.raw', one], ['a', '/a.raw', null], ['a', '/a.raw', two], ['a', '/a.raw', two]), [
    'warning: image a was written to during the night, and is not the same in all cases: 111111111111 in case0, ' +
      '222222222222 in case2',
  ]);
  t.same(told(['ref', null, one], ['ref', null, two]), [], 'a lab has an image of its own for each boot mode');
});
