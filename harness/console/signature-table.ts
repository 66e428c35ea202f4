/** The rows of the table of console signatures, FreeBSD first where the order allows it. */
import type { Signature } from './console-signatures.ts';

/** Order matters: what proves less comes first. */
export const FATAL_ROWS: readonly Signature[] = [
  {
    name: 'no-root',
    pattern: new RegExp(
      'mountroot> |panic: mountroot: unable to|VFS: Unable to mount root fs|' +
        'fruix-initramfs: (?:no partition named|.* cannot be mounted)',
    ),
    screen: [
      ['^mountroot>$'],
      ['Manual root filesystem specification:'],
      ['panic: mountroot: unable to'],
      ['VFS: Unable to mount root fs'],
      ['fruix-initramfs: no partition named'],
    ],
    proves: 'stuck',
    why:
      'FreeBSD (vfs_mountroot.c), the Linux kernel and the initramfs of the reference guest; ' +
      'a disk on another bus does the same.',
  },
  {
    name: 'no-bootable-device',
    pattern: /No bootable device|not a bootable disk|No bootable option or device was found|UEFI Interactive Shell v/,
    screen: [
      ['No bootable device'],
      ['not a bootable disk'],
      ['No bootable option or device was found'],
      ['UEFI Interactive Shell'],
    ],
    proves: 'stuck',
    why: 'SeaBIOS and OVMF; a wrong firmware or boot order does the same.',
  },
  {
    name: 'no-loader',
    pattern: /(?:gptboot: |boot2?: )?No \/boot\/loader on |cannot open \/boot\/lua\/loader\.lua|BTX halted/,
    screen: [['No /boot/loader on'], ['cannot open /boot/lua/loader.lua'], ['BTX halted']],
    proves: 'stuck',
    why: "FreeBSD's boot blocks and loader (gptboot.c, loader.lua, btx.S); a cut or misplaced disk does the same.",
  },
  {
    name: 'freebsd-loader-prompt',
    pattern: /(?:can't (?:load|find) 'kernel'|Type '\?' for a list of commands)[\s\S]{0,2000}\nOK *$/,
    screen: [
      ["can't load 'kernel'"],
      ["can't find 'kernel'"],
      ["Type '?' for a list of commands, 'help' for more detailed help"],
    ],
    proves: 'stuck',
    why: 'the loader waits for a person: no kernel, or a key came in on the console, which a noisy line does too.',
  },
  {
    name: 'linux-loader-prompt',
    pattern: /grub rescue> *$|Could not find kernel image: [^\n]*\s*boot: *$/,
    screen: [['^grub rescue>$'], ['Could not find kernel image']],
    proves: 'stuck',
    why: 'GRUB and SYSLINUX of Linux guests: what they should load is not where they look.',
  },
  {
    name: 'fstab-device-missing',
    pattern: new RegExp(
      "(?:Can't (?:open|stat) .{0,3}/dev/\\S+|/dev/\\S+: No such (?:file or directory|device))[\\s\\S]*" +
        '(?:Enter full pathname of shell|ERROR: ABORTING BOOT|startup aborted|; help!)',
    ),
    screen: [
      ["Can't open /dev/", 'Enter full pathname of shell'],
      ["Can't stat /dev/", 'Enter full pathname of shell'],
      ['No such file or directory', 'Enter full pathname of shell'],
    ],
    proves: 'stuck',
    why: 'rc or fsck gave up on a device that is not there: a wrong fstab, or the disk on another bus than it names.',
  },
  {
    name: 'linux-emergency-shell',
    pattern: /\(initramfs\) *$|Give root password for maintenance|You are in emergency mode/,
    screen: [['^(initramfs)$'], ['Give root password for maintenance'], ['You are in emergency mode']],
    proves: 'stuck',
    why: 'a Linux guest waits for a person; a device that the lab names otherwise does the same.',
  },
  {
    name: 'boot-loop',
    pattern: /(?:(?:---<<BOOT>>---|\] Linux version \d)[\s\S]*?){4}/,
    // There it is a picture of a start that comes back (returning-pictures.ts, START_ROWS).
    screen: [],
    proves: 'stuck',
    why: 'four kernels started in one wait (subr_prf.c, main.c); a processor that is emulated badly does the same.',
  },
  {
    name: 'freebsd-panic',
    pattern: /^panic: .*\n(?:cpuid = |time = |KDB: |Uptime: )/m,
    screen: [
      ['^panic:', '^cpuid ='],
      ['^panic:', 'KDB: stack backtrace'],
      ['^panic:', 'Automatic reboot in 15 seconds'],
      ['KDB: stack backtrace', 'Automatic reboot in 15 seconds'],
    ],
    proves: 'image',
    why:
      'kern_shutdown.c prints it when the kernel gives up, with these lines below; ' +
      'the first line alone may stand in any log, also of a guest whose network is dead.',
  },
  {
    name: 'freebsd-debugger',
    pattern: /KDB: enter: panic/,
    screen: [['KDB: enter: panic']],
    proves: 'image',
    why: 'subr_kdb.c: a kernel with the debugger stops in it on a panic; a break on the line has another name.',
  },
  {
    name: 'freebsd-init-died',
    pattern: /init died \(signal \d+, exit \d+\)|panic: no init|init: not found in path/,
    screen: [['init died (signal'], ['Going nowhere without my init'], ['init: not found in path']],
    proves: 'image',
    why: 'kern_exit.c, init_main.c: PID 1 ended or is not there, a panic follows; in shepherd-pid1 it is Shepherd.',
  },
  {
    name: 'freebsd-single-user-shell',
    pattern: /Enter full pathname of shell or RETURN for \/bin\/sh:/,
    screen: [['Enter full pathname of shell or RETURN for /bin/sh']],
    proves: 'image',
    why: 'init(8) waits for a person; rc was aborted. Fruix met it through a bad fstab.',
  },
  {
    name: 'fsck-refused',
    pattern: /UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY/,
    screen: [['UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY']],
    proves: 'image',
    why: 'the root file system was delivered dirty beyond what fsck -p mends.',
  },
  {
    name: 'rc-aborted',
    pattern: /ERROR: ABORTING BOOT \(sending SIGTERM to parent\)!/,
    screen: [['ERROR: ABORTING BOOT (sending SIGTERM to parent)']],
    proves: 'image',
    why: 'rc.d gave up by itself; nothing in the lab can make it.',
  },
  {
    name: 'linux-panic',
    pattern: /Kernel panic - not syncing: /,
    screen: [['Kernel panic - not syncing']],
    proves: 'image',
    why: "the reference guest's kernel gave up.",
  },
];

/** Symptoms: shown beside a silence, so that a reader need not search; a guest may live on with each of them. */
export const NOTED_ROWS: readonly Signature[] = [
  {
    name: 'shepherd-respawning',
    pattern: /^.*(?:Respawning \S+\.|\(Respawning too fast\.\)).*$/m,
    screen: [['Respawning too fast'], ['^Respawning']],
    proves: 'nothing',
    why: "Shepherd's service.scm: a service ended and is started again; too fast, and it is disabled.",
  },
  {
    name: 'guile-uncaught-exception',
    pattern: /^.*(?:Uncaught exception|no code for module|In procedure \S+: ).*$/m,
    screen: [['Uncaught exception'], ['no code for module'], ['^In procedure']],
    proves: 'nothing',
    why: "Guile's boot-9.scm: a program in Guile gave up; whether the system needs it is for the probes.",
  },
  {
    name: 'guile-locale',
    pattern: /^.*failed to install locale.*$/m,
    screen: [['failed to install locale']],
    proves: 'nothing',
    why: 'Guile warns so; Fruix lost days to a missing locale.',
  },
  {
    name: 'init-cannot-exec',
    pattern: /^.*init(?::| 1 - -) can't (?:(?:directly )?exec|access) .*$/m,
    screen: [["can't directly exec"]],
    proves: 'nothing',
    why: 'init.c: init_exec names what cannot be started; half a minute later the kernel panics, or getty is meant.',
  },
  {
    name: 'no-dhcp',
    pattern: /^.*(?:No DHCPOFFERS received|udhcpc: no lease).*$/m,
    screen: [['No DHCPOFFERS received'], ['udhcpc: no lease']],
    proves: 'nothing',
    why: 'dhclient and udhcpc: nobody answered; the network of the lab does the same as a wrong interface name.',
  },
  {
    name: 'device-waited-for',
    pattern: /^.*(?:Root mount waiting for:|still waiting after \d+ seconds for).*$/m,
    screen: [['Root mount waiting for'], ['still waiting after']],
    proves: 'nothing',
    why: 'vfs_mountroot.c, subr_autoconf.c: slow or absent hardware; the kernel goes on after minutes.',
  },
  {
    name: 'linux-starved',
    pattern: /^.*(?:BUG: soft lockup|Out of memory: Killed process).*$/m,
    screen: [['BUG: soft lockup'], ['Out of memory: Killed process']],
    proves: 'nothing',
    why: 'the host gives the guest too little time or memory, or the guest takes too much.',
  },
];

/** Screens of firmware, boot loader and a kernel's first lines: what a machine shows when it starts, and not later. */
export const START_ROWS: readonly Signature[] = [
  {
    name: 'firmware',
    pattern: /SeaBIOS \(version|iPXE \(http|Booting from Hard Disk|BdsDxe: (?:loading|starting) Boot|Tiano ?Core/,
    screen: [['SeaBIOS (version'], ['iPXE (http'], ['Booting from Hard Disk'], ['BdsDxe:'], ['TianoCore']],
    proves: 'nothing',
    why: 'SeaBIOS and OVMF, of Xen and of QEMU.',
  },
  {
    name: 'loader',
    pattern: /FreeBSD\/x86 bootstrap loader|EFI loader|Loading \/boot\/|GRUB version|(?:SYS|EXT)LINUX \d/,
    screen: [
      ['bootstrap loader, Revision'],
      ['FreeBSD EFI boot block'],
      ['Autoboot in'],
      ['Loading /boot/defaults/loader.conf'],
      ['GNU GRUB version'],
      ['SYSLINUX 6'],
      ['EXTLINUX 6'],
    ],
    proves: 'nothing',
    why: "FreeBSD's loaders (main.c, menu.lua), GRUB, SYSLINUX.",
  },
  {
    name: 'kernel',
    pattern: /---<<BOOT>>---|\] Linux version \d/,
    screen: [['Copyright (c) 1992-'], ['Linux version 6.'], ['Linux version 5.']],
    proves: 'nothing',
    why: 'the first lines of a kernel (copyright.h, subr_prf.c, main.c).',
  },
];
