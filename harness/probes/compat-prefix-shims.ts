/**
 * compat_prefix_shims: none of the historical `/tmp/…-validate-install` prefixes exists.
 *
 * Observed: for each prefix, what lies at that very path, of any kind, without following it.
 * Proof: the runtime can only depend on an alias that exists. The shims used to be symlinks, and
 *   `[ -e ]` follows: a dangling one is still there, hence `[ -e ] || [ -L ]`.
 * What could fool it: an alias made after the look or removed before it. So it is looked at twice,
 *   first thing after connecting and at the end. A parent folder that we may not search looks
 *   empty: that is told apart.
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';
import { words } from './quote.ts';

const NAME = 'compat_prefix_shims';
const EXPECTED = 'absent';

const body = (prefixes: readonly string[]): string => `
i=0
# shellcheck disable=SC2041 # a list may have one entry
for prefix in ${words(prefixes)}; do
  target=
  if [ -L "$prefix" ]; then
    if [ -e "$prefix" ]; then kind=symlink; else kind='dangling symlink'; fi
    ! have readlink || target=$(readlink "$prefix")
  elif [ -d "$prefix" ]; then
    kind=directory
  elif [ -f "$prefix" ]; then
    kind='file'
  elif [ -e "$prefix" ]; then
    kind=special
  else
    kind=absent
    parent=\${prefix%/*}
    if [ -d "\${parent:-/}" ] && ! [ -x "\${parent:-/}" ]; then kind=unreadable; fi
  fi
  fact "path.$i" "$prefix"
  fact "kind.$i" "$kind"
  fact "target.$i" "$target"
  i=$((i + 1))
done`;

export const compatPrefixShims: Probe = {
  name: 'compat-prefix-shims',
  look: 'twice',
  paths: ['shimPrefixes'],
  runs: [],
  observe: (guest) => guest.run(body(guest.paths.shimPrefixes)),
  expect: (observation, { paths }): readonly [Check] => {
    if (observation.state === 'unseen') return [check.unobserved(NAME, EXPECTED, observation.reason)];
    const { facts } = observation;
    if (paths.shimPrefixes.length === 0) return [check.unobserved(NAME, EXPECTED, 'no prefix was named to look for')];
    const present: string[] = [];
    const unknown: string[] = [];
    for (const [i, prefix] of paths.shimPrefixes.entries()) {
      const kind = facts[`path.${i}`] === prefix ? (facts[`kind.${i}`] ?? '') : '';
      if (kind === '' || kind === 'unreadable') unknown.push(prefix);
      else if (kind !== 'absent') present.push(`${prefix} (${described(kind, facts[`target.${i}`] ?? '')})`);
    }
    // One that is there settles it, whatever could not be seen beside it.
    if (present.length > 0) {
      const reason = 'the guest still has an alias of a historical prefix';
      return [check.failed(NAME, EXPECTED, `present: ${present.join(', ')}`, reason)];
    }
    if (unknown.length > 0) return [check.unobserved(NAME, EXPECTED, `could not look at ${unknown.join(', ')}`)];
    return [check.held(NAME, EXPECTED, EXPECTED)];
  },
};

function described(kind: string, target: string): string {
  return target === '' ? kind : `${kind} to ${target}`;
}
