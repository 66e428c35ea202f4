/**
 * Facts of the run that are written down and judged by nobody: what lies in the operator's home, what the system log
 * has of Shepherd's start, by which firmware the guest says it was booted. That they cannot be read changes no verdict.
 */
import type { Observation } from '../model.ts';
import { words } from '../probes/quote.ts';

const LOGS = ['/var/log/messages', '/var/log/shepherd.log', '/var/log/syslog', '/var/log/fruix-shepherd.out'];
const STARTED = 'fruix-shepherd-started';
const BYTES_MAX = 2048;
const LINES_MAX = 3;

/** Body for `probes/frame.ts`. */
export const recordsScript = `
home=\${HOME:-/root}
listing=$(bounded 3 ls -la "$home" 2>/dev/null) && fact_start operator_home_listing ${BYTES_MAX} "$listing"
for log in ${words(LOGS)}; do
  [ -r "$log" ] || continue
  found=$(bounded 3 grep -a ${STARTED} "$log" 2>/dev/null | tail -n ${LINES_MAX})
  [ -n "$found" ] || continue
  fact_start logger_log ${BYTES_MAX} "$log: $found"
  break
done
# FreeBSD (from documentation): BIOS or UEFI. Linux: the folder is there under UEFI alone.
method=$(bounded 3 sysctl -n machdep.bootmethod 2>/dev/null | tr '[:upper:]' '[:lower:]')
[ -n "$method" ] || { [ -d /sys/kernel ] && { [ -d /sys/firmware/efi ] && method=uefi || method=bios; }; }
[ -z "$method" ] || fact boot_firmware "$method"
:`;

/** Metadata key → value, of those that could be read. */
export function readRecords(observation: Observation): Readonly<Record<string, string>> {
  if (observation.state === 'unseen') return {};
  const keys = ['operator_home_listing', 'logger_log', 'boot_firmware'];
  return Object.fromEntries(Object.entries(observation.facts).filter(([key]) => keys.includes(key)));
}
