/**
 * What lies at each place where a guest may keep its things: every candidate is looked at, also those that a probe
 * never came to, so that a person sees which one was found and which were tried. Judges no guest.
 */
import type { GuestPaths, Observation } from '../model.ts';
import { isPlace, PATH_TABLE, type PathRow } from '../options/path-table.ts';
import { quote } from '../probes/quote.ts';
import { inStore } from '../probes/store-path.ts';

export interface Candidate {
  readonly path: string;
  /** `directory`, `file`, `program` (an executable file), `socket`, `absent`, `unreadable` …; empty: not said. */
  readonly kind: string;
  /** Resolved; empty: not there, or not to be resolved. */
  readonly real: string;
}

export interface PathFinding {
  readonly name: keyof GuestPaths;
  /** As `[paths]` of a lab file calls it. */
  readonly key: string;
  /** Name of the option, without dashes. */
  readonly option: string;
  readonly candidates: readonly Candidate[];
  /** The first candidate that is what it should be; null: none. */
  readonly found: string | null;
  /** What the probes took instead of a candidate, in their words; null: nothing. */
  readonly used: string | null;
  /** `unknown`: it could not be seen whether one is there. */
  readonly state: 'found' | 'missing' | 'unknown';
}

/** Of a value that would fit better, and how that is known. */
export interface Suggestion {
  readonly key: string;
  readonly option: string;
  readonly value: string;
  readonly because: string;
}

const LOOK = `
look() {
  real=
  if [ -S "$2" ]; then
    kind=socket
  elif [ -d "$2" ]; then
    kind=directory
  elif [ -f "$2" ]; then
    kind='file'
    ! [ -x "$2" ] || kind=program
  elif [ -e "$2" ]; then
    kind='something special'
  elif [ -L "$2" ]; then
    kind='a dangling symlink'
  else
    kind=absent
    folder=\${2%/*}
    while [ -n "$folder" ] && ! [ -d "$folder" ]; do folder=\${folder%/*}; done
    [ -x "\${folder:-/}" ] || kind=unreadable
  fi
  if [ -e "$2" ] && have readlink; then real=$(readlink -f "$2"); fi
  fact "kind.$1" "$kind"
  fact "real.$1" "$real"
}
fact uid "$(id -u)"`;

/** Places that can be there; text is none, and what must not exist has a check of its own. */
const LOOKED_AT = PATH_TABLE.filter((row) => isPlace(row) && row.is !== 'nothing');

const valuesOf = (paths: GuestPaths, { name }: PathRow): readonly string[] => [paths[name]].flat();

/** The script's body. Facts: `uid`, and `kind.KEY.N` and `real.KEY.N` of each candidate. */
export function guestPathsScript(paths: GuestPaths): string {
  const looks = LOOKED_AT.flatMap((row) =>
    valuesOf(paths, row).map((path, i) => `look ${row.key}.${i} ${quote(path)}`),
  );
  return [LOOK, ...looks].join('\n');
}

const FITS: Readonly<Record<PathRow['is'], readonly string[]>> = {
  directory: ['directory'],
  file: ['file', 'program'],
  program: ['program'],
  socket: ['socket'],
  nothing: [],
  text: [],
  names: [],
  settings: [],
};

/** @param asked the paths that the script was made for; @param probed what the probes saw, for what they took */
export function readGuestPaths(
  seen: Observation,
  asked: GuestPaths,
  probed: readonly Observation[],
): readonly PathFinding[] {
  const facts = seen.state === 'seen' ? seen.facts : {};
  return LOOKED_AT.map((row) => {
    const candidates = valuesOf(asked, row).map((path, i): Candidate => {
      return { path, kind: facts[`kind.${row.key}.${i}`] ?? '', real: facts[`real.${row.key}.${i}`] ?? '' };
    });
    const found = candidates.find(({ kind }) => FITS[row.is].includes(kind))?.path ?? null;
    const used = usedFor(row, probed, found);
    const blind = candidates.some(({ kind }) => kind === '' || kind === 'unreadable');
    const state = found !== null || used !== null ? 'found' : blind ? 'unknown' : 'missing';
    return { name: row.name, key: row.key, option: row.option, candidates, found, used, state };
  });
}

/** The running Shepherd's own Guile and environment come before all candidates. */
function usedFor({ name, key }: PathRow, probed: readonly Observation[], found: string | null): string | null {
  if (name !== 'guile' && name !== 'guileEnvironment') return null;
  for (const observation of probed) {
    const said = observation.state === 'seen' ? (observation.facts[key] ?? '') : '';
    if (said !== '' && said !== 'none' && said !== found) return said;
  }
  return null;
}

/** `/gnu/store/0fe4…-name/bin/x` → `/gnu/store`: the folder of what is named by a hash, as all stores do. */
const ITEM = /^(\/.+?)\/[0-9a-z]{32,64}-[^/]+/;

/** Another store than the one that was named, where something of the system leads there. */
export function suggestStore(findings: readonly PathFinding[], store: string): Suggestion | null {
  for (const key of ['current_system', 'guile', 'herd']) {
    for (const { path, real } of findings.find((finding) => finding.key === key)?.candidates ?? []) {
      const value = ITEM.exec(real)?.[1];
      if (value === undefined || inStore(real, store)) continue;
      return { key: 'store', option: 'path-store', value, because: `${path} is ${real}` };
    }
  }
  return null;
}
