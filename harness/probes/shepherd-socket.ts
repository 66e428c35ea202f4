/**
 * shepherd_socket: Shepherd's control socket is there.
 *
 * Observed: what lies at each candidate path, and whether it is a socket.
 * Proof: Shepherd makes it when it starts; that it is alive is shepherd_status's matter.
 * What could fool it: a socket that its Shepherd left behind; a folder that we may not search, where
 *   everything looks absent (told apart).
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';
import { words } from './quote.ts';

const NAME = 'shepherd_socket';
const EXPECTED = 'present';

const body = (sockets: readonly string[]): string => `
i=0
# shellcheck disable=SC2041 # a list may have one entry
for socket in ${words(sockets)}; do
  folder=\${socket%/*}
  if [ -S "$socket" ]; then
    kind=socket
  elif [ -d "$socket" ]; then
    kind='a folder'
  elif [ -e "$socket" ]; then
    kind='a file'
  elif [ -L "$socket" ]; then
    kind='a dangling symlink'
  elif [ -d "$folder" ] && ! [ -x "$folder" ]; then
    kind=unreadable
  else
    kind=absent
  fi
  fact "path.$i" "$socket"
  fact "kind.$i" "$kind"
  i=$((i + 1))
done`;

export const shepherdSocket: Probe = {
  name: 'shepherd-socket',
  look: 'settled',
  paths: ['shepherdSocket'],
  runs: [],
  observe: (guest) => guest.run(body(guest.paths.shepherdSocket)),
  expect: (observation, { paths }): readonly [Check] => {
    if (observation.state === 'unseen') return [check.unobserved(NAME, EXPECTED, observation.reason)];
    const candidates = paths.shepherdSocket;
    const kinds = candidates.map((path, i) =>
      observation.facts[`path.${i}`] === path ? (observation.facts[`kind.${i}`] ?? 'unseen') : 'unseen',
    );
    if (kinds.includes('socket')) return [check.held(NAME, EXPECTED, EXPECTED)];
    const unseen = candidates.filter((_, i) => kinds[i] === 'unseen' || kinds[i] === 'unreadable');
    if (unseen.length > 0 || candidates.length === 0) {
      return [check.unobserved(NAME, EXPECTED, `could not look at ${unseen.join(', ') || 'any path: none was named'}`)];
    }
    const other = candidates.findIndex((_, i) => kinds[i] !== 'absent');
    if (other >= 0) {
      const actual = `not a socket: ${candidates[other]} is ${kinds[other]}`;
      return [check.failed(NAME, EXPECTED, actual, 'something else lies where the control socket should be')];
    }
    return [check.failed(NAME, EXPECTED, 'absent', `none of ${candidates.join(', ')} exists`)];
  },
};
