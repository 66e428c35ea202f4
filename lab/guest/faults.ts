/**
 * The broken variants of the reference guest: what is changed in the image, and what a harness
 * should see. One row each; the faults are made in the image itself, not switched on in a guest.
 */
import type { Change } from './change.ts';
import { BRING_UP, type FaultRow, PUBLISH_MARKER, publishing, READY_SERVICE, row } from './fault-row.ts';
import { MACHINE_FAULTS } from './machine-faults.ts';
import type { GuestBootMode } from './recipe/syslinux.ts';

export const VARIANT_FAULTS = [
  'shim-directory',
  'shim-dangling-symlink',
  'shim-file',
  'no-gnutls',
  'gnutls-outside-store',
  'config-old-prefix',
  'stale-cache',
  'process-below-prefix',
  'service-short',
  'service-extra',
  'no-ready-marker',
  'wrong-ready-marker',
  'stale-ready-marker',
  'no-shepherd',
  'shepherd-stopped',
  'shepherd-not-pid1',
  'no-sshd',
  'no-root',
  'no-efi-loader',
  'no-dhcp',
  'foreign-key',
  'halts-after-ready',
  'wrong-closure',
  'shim-at-second-boot',
  'panics-after-ready',
  'reboots-after-ready',
  'clock-years-behind',
  'root-read-only',
  'disk-full',
  'no-stat',
  'forging-shell',
] as const;
export type VariantFault = (typeof VARIANT_FAULTS)[number];

const PID1 = '@CLOSURE@/boot/fruix-pid1';
const GNUTLS = '@EXTRA@/share/guile/site/3.0/gnutls.scm';
const SHEPHERD_PREFIX = '/tmp/shepherd-freebsd-validate-install';
const OUTSIDE = '/usr/local/share/guile/site/3.0';
/** Never a store item: the hash is of nothing that was built. */
const OTHER_CLOSURE = `/frx/store/${'0123456789abcdef'.repeat(4)}-fruix-system-fruix-reference`;

/** PID 1 that is no Shepherd, so that a guest of shepherd-pid1 can live without one. */
function keeper(mode: GuestBootMode): Change[] {
  return mode === 'shepherd-pid1' ? [{ kind: 'file', path: PID1, file: 'fruix-pid1-keeper', mode: 0o755 }] : [];
}

export const FAULTS: Readonly<Record<VariantFault, FaultRow>> = {
  'shim-directory': row(
    'A directory is where the Guile prefix shim used to be.',
    'compat_prefix_shims names it; all else is well.',
    { kind: 'directory', path: '/tmp/guile-freebsd-validate-install' },
  ),
  'shim-dangling-symlink': row(
    'A symbolic link to nothing is where the Shepherd prefix shim used to be.',
    'compat_prefix_shims names it, though a test of its target says absent; all else is well.',
    { kind: 'link', path: SHEPHERD_PREFIX, target: '/frx/store/removed-shepherd' },
  ),
  'shim-file': row(
    'A plain file is where the gnutls prefix shim used to be.',
    'compat_prefix_shims names it; all else is well.',
    { kind: 'file', path: '/tmp/guile-gnutls-freebsd-validate-install', file: 'shim', mode: 0o644 },
  ),
  'no-gnutls': row(
    'gnutls.scm is gone from the store.',
    'guile_module_smoke: "no code for module (gnutls)", exit status 1; all else is well.',
    { kind: 'remove', path: GNUTLS },
  ),
  'gnutls-outside-store': row(
    `gnutls.scm lies in ${OUTSIDE} and not in the store, and the environment file names that folder first.`,
    'All three modules load, and guile_module_smoke sees that (gnutls) comes from outside the store.',
    { kind: 'move', path: GNUTLS, to: `${OUTSIDE}/gnutls.scm` },
    { kind: 'edit', path: '@CLOSURE@/etc/guile.env', from: 'GUILE_LOAD_PATH=', to: `GUILE_LOAD_PATH=${OUTSIDE}:` },
  ),
  'config-old-prefix': row(
    '(shepherd config) says that Shepherd was installed below its historical prefix.',
    'shepherd_config_prefix_dir names that prefix; all else is well.',
    {
      kind: 'edit',
      path: '@SHEPHERD@/share/guile/site/3.0/shepherd/config.scm',
      from: '(define Prefix-dir "/frx")',
      to: `(define Prefix-dir "${SHEPHERD_PREFIX}")`,
    },
  ),
  'stale-cache': row(
    'A fibers/config.go that holds a historical prefix and is newer than its source lies on the load path.',
    'stale_cache_fibers_config names it; all modules load, since it is no code and Guile falls back to the source.',
    { kind: 'file', path: '@EXTRA@/lib/guile/3.0/site-ccache/fibers/config.go', file: 'stale.go', mode: 0o644 },
  ),
  'process-below-prefix': row(
    'A process works in a folder at a historical prefix, and the folder is removed before the marker is there.',
    'compat_prefix_shims says absent, and process_prefixes names the process; all else is well.',
    publishing(
      `(fork+exec-command '("/bin/sh" "-c" "mkdir ${SHEPHERD_PREFIX} && cd ${SHEPHERD_PREFIX} && ` +
        `rmdir ${SHEPHERD_PREFIX} && exec sleep 1000000")) ${PUBLISH_MARKER}`,
    ),
  ),
  'service-short': row(
    'The ready service writes its marker and then fails to start.',
    'ready_marker says ready, and shepherd_services misses fruix-ready; all else is well.',
    { kind: 'edit', path: READY_SERVICE, from: '#t)', to: '#f)' },
  ),
  'service-extra': {
    ...row(
      'Shepherd starts one service more than the image declares.',
      'shepherd_services names it as extra; all else is well.',
    ),
    changes: (mode) => [
      {
        kind: 'edit',
        path: `@CLOSURE@/etc/shepherd/${mode === 'shepherd-pid1' ? 'pid1' : 'init'}.scm`,
        from: "(start-in-the-background '(fruix-ready))",
        to:
          "(register-services (list (service '(surplus) #:start (lambda _ #t) #:stop (lambda _ #f))))\n" +
          "(start-in-the-background '(surplus fruix-ready))",
      },
    ],
  },
  'no-ready-marker': row(
    'The ready service runs and leaves no marker.',
    'ready_marker stays absent until its deadline; all else is well.',
    publishing('(delete-file partial)'),
  ),
  'wrong-ready-marker': row(
    'The ready marker says "nearly".',
    'ready_marker is there with the wrong content; all else is well.',
    { kind: 'edit', path: READY_SERVICE, from: '"ready\\n"', to: '"nearly\\n"' },
  ),
  'stale-ready-marker': row(
    'A marker of April 2026 is in the image; nothing removes it at boot and nothing writes another.',
    'ready_marker has the right content and is older than the boot.',
    { kind: 'file', path: '/var/lib/fruix/ready', file: 'ready', mode: 0o644, mtime: '20260403120000' },
    { kind: 'edit', path: BRING_UP, from: 'rm -f /var/lib/fruix/ready\n', to: '' },
    publishing('(delete-file partial)'),
  ),
  'no-shepherd': {
    ...row(
      'The program that starts Shepherd is gone; in shepherd-pid1 mode a shell script stays PID 1 and starts sshd.',
      'SSH works; no control socket, no pid file, herd says "No such file or directory"; no ready marker either.',
    ),
    changes: (mode) => [{ kind: 'remove', path: '@CLOSURE@/profile/bin/shepherd' }, ...keeper(mode)],
  },
  'shepherd-stopped': {
    ...row(
      'Shepherd kills itself as soon as the marker is there; in shepherd-pid1 mode a shell script is PID 1.',
      'The marker says ready; the socket and the pid file stay behind, and the socket refuses; sshd is alive.',
    ),
    changes: (mode) => [publishing(`${PUBLISH_MARKER} (kill (getpid) SIGKILL)`), ...keeper(mode)],
  },
  'shepherd-not-pid1': {
    ...row(
      'The sidecar says shepherd-pid1, the boot loader starts the other mode.',
      'Shepherd runs, and its pid is not 1; PID 1 is init.',
    ),
    onlyIn: 'shepherd-pid1',
    bootsAs: 'freebsd-init+rc.d-shepherd',
  },
  'no-sshd': row(
    "sshd's program is gone.",
    'The address answers, and every connection ends at once without a banner.',
    { kind: 'remove', path: '/usr/sbin/sshd' },
  ),
  'no-root': {
    ...row(
      'The boot loader gives the kernel no initramfs, and with it no driver for any disk.',
      'Console: "VFS: Unable to mount root fs", "Kernel panic - not syncing"; no network, the VM goes on running.',
    ),
    hasRoot: false,
  },
  'no-efi-loader': {
    ...row(
      'The boot partition has no folder EFI: there is a boot loader for BIOS alone.',
      'Under BIOS all is well; under UEFI the firmware finds nothing to boot, and nothing ever answers.',
    ),
    hasEfiLoader: false,
  },
  'no-dhcp': row(
    'The script that would set the leased address is gone.',
    'The guest boots to its end without an address: a connection gets no data, ever.',
    { kind: 'remove', path: '/etc/fruix/udhcpc' },
  ),
  'foreign-key': row(
    "root's authorized_keys holds somebody else's key.",
    'sshd shows its banner and refuses the key.',
    { kind: 'file', path: '/root/.ssh/authorized_keys', file: 'foreign-key.pub', mode: 0o600 },
  ),
  'wrong-closure': row(
    '/run/current-system leads to another closure in the store, with the same content.',
    'run_current_system_target is a store path and not the one that the sidecar names; all else is well.',
    { kind: 'directory', path: OTHER_CLOSURE },
    ...['boot', 'etc', 'profile'].map(
      (name): Change => ({ kind: 'link', path: `${OTHER_CLOSURE}/${name}`, target: `@CLOSURE@/${name}` }),
    ),
    { kind: 'remove', path: '/etc/fruix/current-system' },
    { kind: 'link', path: '/etc/fruix/current-system', target: OTHER_CLOSURE },
  ),
  'shim-at-second-boot': row(
    'Every boot but the first makes the Guile prefix shim anew, as the activation did that ran at each boot.',
    'At the first boot all is well; at the second compat_prefix_shims names it.',
    {
      kind: 'edit',
      path: BRING_UP,
      from: 'rm -f /var/lib/fruix/ready\n',
      to:
        'rm -f /var/lib/fruix/ready\n' +
        '[ ! -e /var/lib/fruix/booted ] || ln -sfn /frx/store /tmp/guile-freebsd-validate-install\n' +
        ': >/var/lib/fruix/booted\n',
    },
  ),
  ...MACHINE_FAULTS,
};
