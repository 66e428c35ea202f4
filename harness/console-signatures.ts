/**
 * What a console can prove. Every row is a state that a guest never leaves by itself, so that
 * waiting can end. Only some prove that the image is to blame: what a wrong firmware, boot order or
 * attachment causes just as well (`mountroot>`, "no bootable device") is left to the control image.
 */

export interface Signature {
  readonly name: string;
  readonly pattern: RegExp;
  /** `image`: nothing in the lab can make it. `stuck`: waiting is over, blame is not decided. */
  readonly proves: 'image' | 'stuck';
  /** Why it is in the table, and what it shows. */
  readonly why: string;
}

/** Order matters: a missing root ends in a panic too, so what proves less comes first. */
export const FATAL_SIGNATURES: readonly Signature[] = [
  {
    name: 'no-root',
    pattern: new RegExp(
      'mountroot> |panic: mountroot: unable to|VFS: Unable to mount root fs|' +
        'fruix-initramfs: (?:no partition named|.* cannot be mounted)',
    ),
    proves: 'stuck',
    why:
      'FreeBSD (vfs_mountroot.c), the Linux kernel and the initramfs of the reference guest; ' +
      'a disk on another bus does the same.',
  },
  {
    name: 'no-bootable-device',
    pattern: /No bootable device|not a bootable disk|No bootable option or device was found/,
    proves: 'stuck',
    why: 'SeaBIOS and OVMF; a wrong firmware or boot order does the same.',
  },
  {
    name: 'freebsd-panic',
    pattern: /^panic: .*\n(?:cpuid = |time = |KDB: |Uptime: )/m,
    proves: 'image',
    why:
      'kern_shutdown.c prints it when the kernel gives up, with these lines below; ' +
      'the first line alone may stand in any log, also of a guest whose network is dead.',
  },
  {
    name: 'freebsd-init-died',
    pattern: /init died \(signal \d+, exit \d+\)/,
    proves: 'image',
    why: 'kern_exit.c: PID 1 ended, a panic follows; in shepherd-pid1 mode that is Shepherd.',
  },
  {
    name: 'freebsd-single-user-shell',
    pattern: /Enter full pathname of shell or RETURN for \/bin\/sh:/,
    proves: 'image',
    why: 'init(8) waits for a person; rc was aborted. Fruix met it through a bad fstab.',
  },
  {
    name: 'fsck-refused',
    pattern: /UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY/,
    proves: 'image',
    why: 'the root file system was delivered dirty beyond what fsck -p mends.',
  },
  {
    name: 'rc-aborted',
    pattern: /ERROR: ABORTING BOOT \(sending SIGTERM to parent\)!/,
    proves: 'image',
    why: 'rc.d gave up by itself; nothing in the lab can make it.',
  },
  {
    name: 'linux-panic',
    pattern: /Kernel panic - not syncing: /,
    proves: 'image',
    why: "the reference guest's kernel gave up.",
  },
];

/** A row that matched, with the line on which it did. */
export interface Fatal {
  readonly name: string;
  readonly proves: 'image' | 'stuck';
  readonly line: string;
}

/** The first row that matches, or null. */
export function fatalSignature(text: string): Fatal | null {
  for (const { name, pattern, proves } of FATAL_SIGNATURES) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const start = text.lastIndexOf('\n', match.index) + 1;
    const end = text.indexOf('\n', match.index);
    return { name, proves, line: text.slice(start, end < 0 ? undefined : end).trim() };
  }
  return null;
}
