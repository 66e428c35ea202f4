/**
 * process_prefixes: no running process holds or maps a path under a historical prefix.
 *
 * Observed: of every process the files that it has mapped, its executable, working folder, root and open files:
 *   Linux /proc/PID/{maps,exe,cwd,root,fd}, FreeBSD `procstat -v` and `procstat -f` (which has all but the maps).
 * Proof: what is mapped or open is in use, whatever is at that path by now: a file that was deleted or replaced
 *   after it was loaded is still named. A prefix counts where it is a whole path or ends at a slash.
 * What could fool it: an alias that is a symbolic link leaves no trace, since the kernel names what it leads to
 *   (compat_prefix_shims looks for the alias itself); a path that FreeBSD's name cache has forgotten; a
 *   process that began and ended between two looks. Names in command lines and environments are not looked at:
 *   they load nothing as long as nothing is there. Without root only the asker's own processes are shown, so
 *   PID 1 and the running Shepherd must be among those that were seen, else nothing was.
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';
import { SHEPHERD_PROCESS } from './guile-runtime.ts';
import { quote, words } from './quote.ts';

const NAME = 'process_prefixes';
const EXPECTED = 'none';
const HITS_MAX = 50;
const OUTPUT_BYTES_MAX = 16_384;

/**
 * Lines come as `KIND PID …`, KIND being maps or links. A path begins after a blank; what follows a prefix is a
 * slash, the end, or the blank before ` (deleted)`.
 */
const AWK = `
BEGIN { count = split(ENVIRON["BW_PREFIXES"], prefix, "\\n") }
{
  if (!(($1, $2) in seen)) {
    seen[$1, $2] = 1
    number[$1]++
    if ($2 == 1 || $2 == ENVIRON["BW_SHEPHERD"]) among[$1] = among[$1] " " $2
  }
  for (i = 1; i <= count; i++) {
    if (prefix[i] == "") continue
    at = index($0, " " prefix[i])
    if (at == 0) continue
    after = substr($0, at + 1 + length(prefix[i]), 1)
    if (after != "" && after != "/" && after != " ") continue
    path = substr($0, at + 1)
    if (($1, $2, path) in told) continue
    told[$1, $2, path] = 1
    if (++hits <= ${HITS_MAX}) print "hit " $1 " " $2 " " path
  }
}
END {
  print "maps of " number["maps"] + 0 " processes, among them" among["maps"]
  print "links of " number["links"] + 0 " processes, among them" among["links"]
  print "hits " hits + 0
}`;

const body = (prefixes: readonly string[], pidFiles: readonly string[]): string => `
if ! have awk; then
  fact missing awk
elif [ -r /proc/self/maps ]; then
  fact source /proc
elif have procstat; then
  fact source procstat
else
  fact missing '/proc, procstat'
fi
process_paths() {
  if [ -r /proc/self/maps ]; then
    grep / /proc/[0-9]*/maps 2>/dev/null | sed 's|^/proc/\\([0-9]*\\)/maps:|maps \\1 |'
    # shellcheck disable=SC2012 # the names are the kernel's
    ls -ld /proc/[0-9]*/exe /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/fd/[0-9]* 2>/dev/null |
      sed -n 's|^.* /proc/\\([0-9]*\\)/\\([a-z0-9/]*\\) -> |links \\1 \\2 |p'
  elif have procstat; then
    procstat -a -h -v 2>/dev/null | sed 's/^ */maps /'
    procstat -a -h -f 2>/dev/null | sed 's/^ */links /'
  fi
}
${SHEPHERD_PROCESS}
shepherd_process ${words(pidFiles)}
if have awk; then
  found=$(process_paths | BW_SHEPHERD=$sp_pid BW_PREFIXES=${quote(prefixes.join('\n'))} awk ${quote(AWK)})
  fact_start found ${OUTPUT_BYTES_MAX} "$found"
fi`;

export const processPrefixes: Probe = {
  name: 'process-prefixes',
  look: 'settled',
  paths: ['shimPrefixes', 'shepherdPidFile'],
  runs: [],
  observe: (guest) => guest.run(body(guest.paths.shimPrefixes, guest.paths.shepherdPidFile)),
  expect: (observation, { paths }): readonly [Check] => {
    const blind = (reason: string): readonly [Check] => [check.unobserved(NAME, EXPECTED, reason)];
    if (observation.state === 'unseen') return blind(observation.reason);
    if (paths.shimPrefixes.length === 0) return blind('no prefix was named to look for');
    const { missing, found = '', pid_alive: shepherd = '' } = observation.facts;
    if (missing !== undefined) return blind(`tool missing: ${missing}`);
    const lines = found.split('\n');
    const hits = lines.filter((line) => line.startsWith('hit '));
    if (hits.length > 0) return [check.failed(NAME, EXPECTED, shownHits(hits, lines), 'a process uses such a path')];
    if (!lines.includes('hits 0')) return blind('the answer has no end');
    for (const kind of ['maps', 'links']) {
      const among = lines.find((line) => line.startsWith(`${kind} of `))?.split('among them')[1] ?? '';
      const hidden = ['1', shepherd].find((pid) => pid !== '' && !among.split(' ').includes(pid));
      if (hidden !== undefined) return blind(`nothing was shown of the ${kind} of process ${hidden}`);
    }
    return [check.held(NAME, EXPECTED, EXPECTED)];
  },
};

/** `process 171 maps /tmp/…/libguile.so, …`, a few of them. */
function shownHits(hits: readonly string[], lines: readonly string[]): string {
  const shown = hits.slice(0, 3).map((line) => {
    const [, kind, pid, ...path] = line.split(' ');
    return `process ${pid} ${kind === 'maps' ? 'maps' : 'holds'} ${path.join(' ')}`;
  });
  const all = Number(lines.find((line) => line.startsWith('hits '))?.slice(5) ?? hits.length);
  return shown.join(', ') + (all > shown.length ? `, and ${all - shown.length} more` : '');
}
