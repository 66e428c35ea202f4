/**
 * init_mode and pid1_command: what PID 1 is.
 *
 * Observed: PID 1's name, command line and executable; the pid that Shepherd wrote into its pid file.
 * Proof: Shepherd wrote its own pid when it was ready: 1 there, with a PID 1 that is Guile or
 *   Shepherd, is shepherd-pid1. A PID 1 that is an init, with Shepherd elsewhere or unknown, is
 *   freebsd-init+rc.d-shepherd. The mode is what the guest shows; that another one was expected is a
 *   failure of the image.
 * What could fool it: the name alone (on FreeBSD Shepherd shows as `guile`, with its arguments hidden
 *   as `[guile]`), and a pid file of an earlier boot (one that
 *   names no live process counts as none). Name and file must not contradict each other;
 *   where they do nothing is told here, and shepherd_pid, which asks the live socket, decides.
 */
import type { BootMode, Check, Observation, Probe } from '../model.ts';
import { check } from './check.ts';
import { SHEPHERD_PROCESS } from './guile-runtime.ts';
import { words } from './quote.ts';

const MODE = 'init_mode';
const COMMAND = 'pid1_command';
/** FreeBSD's, and the reference guest's stand-in for it. systemd and its like are no `freebsd-init+rc.d`. */
const INIT = 'init';
const ANY_COMMAND = 'recorded';

/** FreeBSD's base has no /proc; busybox's ps has no -p: the tool that is there is asked. */
const body = (pidFiles: readonly string[]): string => `
comm=
command=
executable=
if [ -r /proc/1/comm ]; then
  read -r comm </proc/1/comm || :
  command=$(tr '\\000' ' ' </proc/1/cmdline 2>/dev/null)
  command=\${command% }
  executable=$(readlink /proc/1/exe 2>/dev/null)
elif have ps; then
  comm=$(ps -ww -o comm= -p 1 2>/dev/null | sed 's/^ *//; s/ *$//')
  command=$(ps -ww -o command= -p 1 2>/dev/null | sed 's/^ *//; s/ *$//')
  ! have procstat || executable=$(procstat -h -b 1 2>/dev/null | sed -n 's|^[^/]* \\(/.*\\)$|\\1|p')
else
  fact missing '/proc, ps'
fi
fact comm "$comm"
fact command "$command"
fact executable "$executable"
${SHEPHERD_PROCESS}
shepherd_process ${words(pidFiles)}`;

export const pid1: Probe = {
  name: 'pid1',
  look: 'settled',
  paths: ['shepherdPidFile'],
  runs: [],
  observe: (guest) => guest.run(body(guest.paths.shepherdPidFile)),
  expect: (observation, { bootMode }): readonly [Check, Check] => {
    const seen = namedPid1(observation);
    if ('blind' in seen) {
      return [check.unobserved(MODE, bootMode, seen.blind), check.unobserved(COMMAND, ANY_COMMAND, seen.blind)];
    }
    const { comm, command } = seen;
    // ps itself writes [name] where the arguments are hidden; so do we.
    const commandCheck = check.held(COMMAND, ANY_COMMAND, command.trim() === '' ? `[${comm}]` : command.trim());
    return [modeCheck(shownMode(observation), bootMode), commandCheck];
  },
};

type Named = { readonly comm: string; readonly command: string; readonly written: string } | { readonly blind: string };

function namedPid1(observation: Observation): Named {
  if (observation.state === 'unseen') return { blind: observation.reason };
  const { missing, comm = '', command = '', pid_alive: written = '' } = observation.facts;
  if (missing !== undefined) return { blind: `tool missing: ${missing}` };
  return comm === '' ? { blind: 'neither /proc nor ps named PID 1' } : { comm, command, written };
}

/** What the guest shows: a mode, something that is neither, or nothing that decides. */
export type Shown = { readonly mode: BootMode } | { readonly neither: string } | { readonly undecided: string };

/** The boot mode that this probe's observation shows, whatever was expected. */
export function shownMode(observation: Observation): Shown {
  const named = namedPid1(observation);
  if ('blind' in named) return { undecided: named.blind };
  const { comm, command, written } = named;
  if (comm === INIT) {
    if (written === '1') return { undecided: `PID 1 is ${comm}, but Shepherd's pid file says 1` };
    return { mode: 'freebsd-init+rc.d-shepherd' };
  }
  const byName = comm === 'shepherd';
  if (!byName && !/^\.?guile/.test(comm)) return { neither: `PID 1 is ${comm}, neither an init nor Shepherd` };
  if (written === '1') return { mode: 'shepherd-pid1' };
  if (written !== '') return { undecided: `PID 1 is ${comm}, but Shepherd's pid file says ${written}` };
  if (byName || /shepherd/.test(command)) return { mode: 'shepherd-pid1' };
  return { undecided: `PID 1 is ${comm}, and no pid file says whether that is Shepherd` };
}

function modeCheck(seen: Shown, expected: BootMode): Check {
  if ('undecided' in seen) return check.unobserved(MODE, expected, seen.undecided);
  if ('neither' in seen) return check.failed(MODE, expected, 'neither mode', seen.neither);
  if (seen.mode !== expected) return check.failed(MODE, expected, seen.mode, 'the image booted in the other mode');
  return check.held(MODE, expected, expected);
}
