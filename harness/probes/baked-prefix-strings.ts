/**
 * baked_prefix_strings: how many files of the store still hold a historical prefix. Measured, not judged.
 *
 * Observed: every plain file under the store that holds one of the prefixes, as bytes; how many were searched.
 * Proof: the files are read whole, compiled ones and libraries too; the evidence has their names.
 * What could fool it: a prefix that is compressed or written in two-byte characters; a list that is cut (the count is
 *   not). A historical string in a file brings nothing back as long as nothing is at that path, so it is no failure:
 *   the number is there to be brought to zero. Where time was up it says `at least`. It runs with the lowest
 *   priority beside the other probes. What could not be counted at all is unobserved, as for every probe.
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';
import { quote } from './quote.ts';

const NAME = 'baked_prefix_strings';
const EXPECTED = 'counted, not judged';
/** A store of 50 MB takes a fraction of a second on hardware. */
const SEARCH_S = 6;
/** Files between two looks at the clock. */
const BATCH = 100;
const LISTED_MAX = 200;
const OUTPUT_BYTES_MAX = 32_768;

/**
 * A pattern, since busybox's `grep -F` ends at the first NUL of a line. `-r` of xargs: GNU and busybox would run
 * grep once for nothing. A batch that begins too late ends xargs by status 255. The command's own status is no news:
 * grep's is 1 where nothing was found, and 2 where one file could not be read.
 */
const BATCH_SCRIPT = `
until=$1 pattern=$2
shift 2
if [ "$(date +%s)" -ge "$until" ]; then
  echo 'time up'
  exit 255
fi
LC_ALL=C grep -laE -e "$pattern" -- "$@" /dev/null 2>/dev/null
echo "searched $#"`;

const AWK = `
/^\\// { if (++hits <= ${LISTED_MAX}) print; next }
/^searched / { files += $2; next }
/^time up$/ { late = 1 }
END { if (late) print "late"; print "files " files + 0; print "hits " hits + 0 }`;

/** One extended regular expression for all prefixes, each taken letter by letter. */
const patternOf = (prefixes: readonly string[]): string =>
  prefixes.map((prefix) => prefix.replace(/[\\^$.|?*+(){}[\]]/g, String.raw`\$&`)).join('|');

const body = (prefixes: readonly string[], store: string): string => `
for tool in find xargs grep awk nice; do
  have "$tool" || fact missing "$tool"
done
store=${quote(store)}
if [ -d "$store" ]; then
  until=$(($(date +%s) + ${SEARCH_S} * BW_PATIENCE))
  # shellcheck disable=SC2016 # expanded by the inner sh and by awk
  found=$(nice -n 19 find -H "$store" -xdev -type f -size +0 -print0 2>/dev/null |
    nice -n 19 xargs -0 -r -n ${BATCH} /bin/sh -c ${quote(BATCH_SCRIPT)} sh \\
      "$until" ${quote(patternOf(prefixes))} 2>/dev/null |
    awk ${quote(AWK)})
  fact_start found ${OUTPUT_BYTES_MAX} "$(printf '%s\\n' "$found" | tail -n 3)
$found"
fi
fact store "$store"`;

export const bakedPrefixStrings: Probe = {
  name: 'baked-prefix-strings',
  look: 'settled',
  paths: ['store', 'shimPrefixes'],
  runs: [],
  observe: (guest) => guest.run(body(guest.paths.shimPrefixes, guest.paths.store)),
  expect: (observation, { paths }): readonly [Check] => {
    const blind = (reason: string): readonly [Check] => [check.unobserved(NAME, EXPECTED, reason)];
    if (observation.state === 'unseen') return blind(observation.reason);
    if (paths.shimPrefixes.length === 0) return blind('no prefix was named to look for');
    const { missing, found } = observation.facts;
    if (missing !== undefined) return blind(`tool missing: ${missing}`);
    if (found === undefined) return blind(`${paths.store} is no folder`);
    const lines = found.split('\n');
    const number = (word: string): number | undefined => {
      const line = lines.find((each) => new RegExp(`^${word} [0-9]+$`).test(each));
      return line === undefined ? undefined : Number(line.split(' ')[1]);
    };
    const [files, hits] = [number('files'), number('hits')];
    if (files === undefined || hits === undefined) return blind('the count has no end');
    const late = lines.includes('late');
    if (files === 0)
      return blind(late ? 'time was up before the first file' : `no file was found under ${paths.store}`);
    const actual = late ? `at least ${hits} (time was up after ${files} files)` : String(hits);
    return [check.held(NAME, EXPECTED, actual)];
  },
};
