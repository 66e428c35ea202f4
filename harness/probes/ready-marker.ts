/**
 * ready_marker: the last service of the start-up has said, in this boot, that everything is up.
 *
 * Observed: kind, exact content and modification time of the marker; the boot time and the present
 *   time by the guest's own clock.
 * Proof: the marker is written by the image itself at the end of its start-up; one that was modified
 *   after this boot began was written by this boot.
 * What could fool it: a marker left by an earlier boot of the same disk (hence the boot time); a new
 *   symbolic link to an old file (hence the time of the file that was read); and a
 *   clock that was set after the marker was written: forwards makes a fresh marker look stale,
 *   backwards puts it into the future. Device nodes are made anew in each boot, so a `/dev/null`
 *   that is older than the boot shows a clock that was moved: then nothing can be told.
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';
import { quote } from './quote.ts';

const NAME = 'ready_marker';
/** Boot time and file times are whole seconds, and boot time is itself a difference of two readings. */
const CLOCK_TOLERANCE_S = 2;
const CONTENT_BYTES_MAX = 256;

/** stat: `-c` first, since `stat -f` is a question about the file system on Linux and can succeed. */
const body = (marker: string): string => `
marker=${quote(marker)}
written=
modified() { stat -L -c %Y "$1" 2>/dev/null || stat -L -f %m "$1" 2>/dev/null; }
if [ -f "$marker" ]; then
  kind='file'
  # The x keeps the final newlines that a command substitution would take away.
  if content=$(head -c ${CONTENT_BYTES_MAX} "$marker" && printf x); then fact content "$content"; fi
  written=$(modified "$marker")
elif [ -e "$marker" ] || [ -L "$marker" ]; then
  kind='no file'
else
  kind=absent
  parent=\${marker%/*}
  if [ -d "\${parent:-/}" ] && ! [ -x "\${parent:-/}" ]; then kind=unreadable; fi
fi
boot=
boot_source=
if [ -r /proc/stat ]; then
  while read -r name value rest; do
    if [ "$name" = btime ]; then boot=$value boot_source="btime of /proc/stat$rest"; fi
  done </proc/stat
fi
if [ -z "$boot" ] && have sysctl; then
  boot=$(sysctl -n kern.boottime 2>/dev/null | sed -n 's/^{ sec = \\([0-9]*\\),.*/\\1/p')
  [ -z "$boot" ] || boot_source='sysctl kern.boottime'
fi
fact kind "$kind"
fact boot "$boot"
fact boot_source "$boot_source"
fact modified "$written"
# Asked only where the answer can matter: a process less for each look at a marker that is fresh.
if [ -n "$written" ] && [ "$written" -lt "\${boot:-0}" ]; then fact device_modified "$(modified /dev/null)"; fi
fact now "$(date +%s)"`;

export const readyMarker: Probe = {
  name: 'ready-marker',
  look: 'awaited',
  paths: ['readyMarker', 'readyMarkerContent'],
  runs: [],
  observe: (guest) => guest.run(body(guest.paths.readyMarker)),
  expect: (observation, { paths }): readonly [Check] => {
    const expected = paths.readyMarkerContent;
    if (observation.state === 'unseen') return [check.unobserved(NAME, expected, observation.reason)];
    const { kind, content, ...times } = observation.facts;
    const where = paths.readyMarker;
    if (kind === 'absent') return [check.failed(NAME, expected, 'missing', `${where} does not exist`)];
    if (kind === 'no file') return [check.failed(NAME, expected, kind, `${where} is not a file with a content`)];
    if (kind !== 'file' || content === undefined) {
      return [check.unobserved(NAME, expected, `${where} could not be read (${kind ?? 'no answer'})`)];
    }
    const said = content.replace(/x$/, '').replace(/\n$/, '');
    if (said !== expected) {
      return [check.failed(NAME, expected, JSON.stringify(said), `${where} has another content`)];
    }
    return [fresh(times, expected)];
  },
};

/** Whether a marker of the right content belongs to this boot. */
function fresh(times: Readonly<Record<string, string>>, expected: string): Check {
  const modified = seconds(times.modified);
  const boot = seconds(times.boot);
  const now = seconds(times.now);
  const device = seconds(times.device_modified);
  if (boot === null) return check.unobserved(NAME, expected, 'boot time unreadable: neither /proc/stat nor sysctl');
  if (modified === null) return check.unobserved(NAME, expected, 'modification time unreadable: stat');
  if (now === null) return check.unobserved(NAME, expected, 'present time unreadable: date');
  if (modified > now + CLOCK_TOLERANCE_S) {
    const ahead = modified - now;
    const reason = `the marker is ${ahead} s in the future: the guest's clock was moved, its age cannot be told`;
    return check.unobserved(NAME, expected, reason);
  }
  if (modified >= boot - CLOCK_TOLERANCE_S) return check.held(NAME, expected, expected);
  if (device !== null && device < boot - CLOCK_TOLERANCE_S) {
    const reason = 'marker and /dev/null are both older than the boot: the clock was moved, the age cannot be told';
    return check.unobserved(NAME, expected, reason);
  }
  return check.failed(NAME, expected, 'stale', `the marker is ${boot - modified} s older than this boot`);
}

function seconds(text: string | undefined): number | null {
  return text !== undefined && /^[0-9]{1,12}$/.test(text) ? Number(text) : null;
}
