/**
 * uname_output: which kernel runs, recorded word by word.
 *
 * Observed: `uname -a` and the kernel's name.
 * Proof: the kernel answers about itself; a name that neither of our images can have shows that
 *   something else was booted.
 * What could fool it: a replaced `uname`. It is recorded for people and decides little.
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';

const NAME = 'uname_output';
const KERNELS: readonly string[] = ['FreeBSD', 'Linux'];
const EXPECTED = `a kernel of ${KERNELS.join(' or ')}`;

const body = `
if have uname; then
  fact kernel "$(uname -s)"
  fact all "$(uname -a)"
else
  fact missing uname
fi`;

export const uname: Probe = {
  name: 'uname',
  look: 'settled',
  paths: [],
  runs: [],
  observe: (guest) => guest.run(body),
  expect: (observation): readonly [Check] => {
    if (observation.state === 'unseen') return [check.unobserved(NAME, EXPECTED, observation.reason)];
    const { kernel = '', all = '', missing } = observation.facts;
    if (missing !== undefined) return [check.unobserved(NAME, EXPECTED, `tool missing: ${missing}`)];
    if (all === '' || kernel === '' || kernel === 'unknown') {
      return [check.unobserved(NAME, EXPECTED, 'uname said nothing of use')];
    }
    if (!KERNELS.includes(kernel)) return [check.failed(NAME, EXPECTED, all, `the kernel calls itself ${kernel}`)];
    return [check.held(NAME, EXPECTED, all)];
  },
};
