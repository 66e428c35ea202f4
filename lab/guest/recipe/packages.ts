/** Which packages of Debian the reference guest is made of. Constants only. */

/** Suite of Debian. Its Guile, fibers and Shepherd are what was measured; another one is another guest. */
export const SUITE = 'trixie';

/** What apt is asked for. The Essential packages are named too: apt takes them as given. */
export const WANTED = [
  'base-files',
  'base-passwd',
  'busybox-static',
  'coreutils',
  'dash',
  'findutils',
  'grep',
  'guile-3.0',
  'guile-fibers',
  'guile-gnutls',
  'libc-bin',
  'linux-image-cloud-amd64',
  'mawk',
  'openssh-server',
  'sed',
  'shepherd',
  'systemd-standalone-sysusers', // else systemd itself comes in for openssh-server
  'sysvinit-core',
] as const;

/**
 * Resolved as dependencies but needed by maintainer scripts only, and none of these runs here.
 * libsqlite3-0 must not be in this list: without it sshd's session process exits 127.
 */
export const LEFT_OUT: ReadonlySet<string> = new Set([
  'adduser',
  'cpio',
  'debconf',
  'dracut-install',
  'init-system-helpers',
  'initramfs-tools',
  'initramfs-tools-bin',
  'initramfs-tools-core',
  'initscripts',
  'insserv',
  'klibc-utils',
  'libdebconfclient0',
  'libklibc',
  'libproc2-0',
  'libstdc++6',
  'libsystemd-shared',
  'libtext-charwidth-perl',
  'libtext-wrapi18n-perl',
  'linux-base',
  'logsave',
  'perl-base',
  'procps',
  'runit-helper',
  'sensible-utils',
  'startpar',
  'systemd-standalone-sysusers',
  'sysv-rc',
  'ucf',
  'udev',
]);

/** Never unpacked: nothing reads it in a guest without people. Patterns of tar. */
export const NOT_UNPACKED = [
  './usr/share/doc/*',
  './usr/share/man/*',
  './usr/share/info/*',
  './usr/share/locale/*',
  './usr/share/lintian/*',
  './usr/share/bash-completion/*',
  './usr/share/menu/*',
  './boot/System.map*',
] as const;
