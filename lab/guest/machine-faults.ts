/** Broken variants that go away when they are up, or whose clock, disk, tools or shell are not as they should be. */
import { BRING_UP, type FaultRow, PUBLISH_MARKER, publishing, READY_SERVICE, row } from './fault-row.ts';

/** Long enough for a session to be there, short enough for its probes not to be over. */
const MEANWHILE_S = 8;

/** The shell command is carried out a while after the marker is there. */
function later(seconds: number, command: string): string {
  return `${PUBLISH_MARKER} (fork+exec-command '("/bin/sh" "-c" "sleep ${seconds}; ${command}"))`;
}

/** A line of shell of its own at each boot, before sshd and Shepherd. */
function atBoot(line: string) {
  const from = 'rm -f /var/lib/fruix/ready\n';
  return { kind: 'edit', path: BRING_UP, from, to: `${from}${line}\n` } as const;
}

export const MACHINE_FAULTS = {
  'halts-after-ready': row(
    `${MEANWHILE_S} seconds after the marker the guest powers itself off.`,
    'The VM halts by itself; SSH may have answered before.',
    publishing(later(MEANWHILE_S, 'sync; exec /usr/bin/busybox poweroff -f')),
  ),
  'panics-after-ready': row(
    `${MEANWHILE_S} seconds after the marker the kernel panics.`,
    'The session ends in the middle; console: "sysrq: Trigger a crash", "Kernel panic - not syncing".',
    publishing(later(MEANWHILE_S, 'echo c >/proc/sysrq-trigger')),
  ),
  'reboots-after-ready': row(
    `${MEANWHILE_S} seconds after the marker of each boot the guest boots anew.`,
    'The session ends in the middle; the guest answers again, in another boot.',
    publishing(later(MEANWHILE_S, 'sync; exec /usr/bin/busybox reboot -f')),
  ),
  'clock-years-behind': row(
    'The clock is set to the year 2001 at boot, before the marker is written.',
    'All is well: nothing is judged by what time it is.',
    atBoot("date -s '2001-09-09 01:46:40' >/dev/null"),
  ),
  'root-read-only': row(
    'The root file system becomes read-only before the marker is published.',
    'The marker stays absent until its deadline; sshd and Shepherd run.',
    publishing(
      '(call-with-output-file "/proc/sysrq-trigger" (lambda (port) (display "u" port))) ' +
        `(sleep 2) ${PUBLISH_MARKER}`,
    ),
  ),
  'disk-full': row(
    'The root file system is filled to its last block before the marker is written.',
    'The marker stays absent until its deadline; sshd and Shepherd run.',
    {
      kind: 'edit',
      path: READY_SERVICE,
      from: '#:start (lambda _',
      to:
        '#:start (lambda _ (system* "/bin/sh" "-c" ' +
        '"for size in 64k 1k 1; do dd if=/dev/zero of=/var/fill-$size bs=$size; done; sync")',
    },
  ),
  'no-stat': row(
    'The program stat is gone.',
    'The age of the marker cannot be told: ready_marker is unobserved; all else is well.',
    { kind: 'remove', path: '/usr/bin/stat' },
  ),
  'forging-shell': row(
    'sshd runs each command below a script that first prints a banner and a forged fact; a shim is there.',
    'compat_prefix_shims names the shim, whatever the guest prints before.',
    { kind: 'file', path: '/etc/fruix/shell', file: 'forging-shell', mode: 0o755 },
    { kind: 'directory', path: '/tmp/guile-freebsd-validate-install' },
    atBoot('grep -qs ForceCommand /etc/ssh/sshd_config || echo "ForceCommand /etc/fruix/shell" >>/etc/ssh/sshd_config'),
  ),
} satisfies Readonly<Record<string, FaultRow>>;
