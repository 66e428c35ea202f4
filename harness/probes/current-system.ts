/**
 * run_current_system_target: the closure that was activated at boot, a store path.
 *
 * Observed: what `/run/current-system` points at, its resolved path, and whether that exists.
 * Proof: activation makes this link in every boot to the closure it activates; the closure's name
 *   carries the hash of what it was built from, so equality with the image's closure shows which
 *   system runs.
 * What could fool it: a link that survived from an earlier boot where `/run` is not emptied. That is
 *   why the image's identity is proven apart from it.
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';
import { quote } from './quote.ts';
import { inStore } from './store-path.ts';

const NAME = 'run_current_system_target';

/** `readlink -f` of a missing target differs between systems, so existence is tested first. */
const body = (link: string): string => `
link=${quote(link)}
target=
real=
if [ -L "$link" ]; then
  kind=symlink
  if have readlink; then
    target=$(readlink "$link")
    if [ -e "$link" ]; then real=$(readlink -f "$link"); else kind='dangling symlink'; fi
  else
    kind='no tool: readlink'
  fi
elif [ -e "$link" ]; then
  kind='no symlink'
else
  kind=absent
fi
fact kind "$kind"
fact target "$target"
fact real "$real"`;

export const currentSystem: Probe = {
  name: 'current-system',
  look: 'settled',
  paths: ['currentSystem', 'store'],
  runs: [],
  observe: (guest) => guest.run(body(guest.paths.currentSystem)),
  expect: (observation, { paths, expectedClosure }): readonly [Check] => {
    const expected = expectedClosure ?? `a path under ${paths.store}`;
    if (observation.state === 'unseen') return [check.unobserved(NAME, expected, observation.reason)];
    const { kind = 'no answer', target = '', real = '' } = observation.facts;
    const link = paths.currentSystem;
    const no = (actual: string, reason: string): readonly [Check] => [check.failed(NAME, expected, actual, reason)];
    switch (kind) {
      case 'absent':
        return no('absent', `${link} does not exist`);
      case 'no symlink':
        return no(kind, `${link} is not a symbolic link`);
      case 'dangling symlink':
        return no(target, `${link} points at something that does not exist`);
      case 'symlink':
        break;
      default:
        return [check.unobserved(NAME, expected, `${link} could not be looked at (${kind})`)];
    }
    if (target === '' || real === '') return [check.unobserved(NAME, expected, `readlink said nothing about ${link}`)];
    if (!inStore(real, paths.store)) return no(target, `resolves to ${real}, outside ${paths.store}`);
    // Not the link's own text: an item of that name may itself be a link to another closure.
    if (expectedClosure !== null && real !== expectedClosure) {
      const seen = target === real ? target : `${target}, which is ${real}`;
      return no(seen, 'another closure than the one the image was built from');
    }
    return [check.held(NAME, expected, target)];
  },
};
