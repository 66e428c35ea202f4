/** The boot loader's configuration: one label for each boot mode, and the kernel's arguments. */

/** Boot modes of the reference guest, in Fruix's spelling. */
export const GUEST_BOOT_MODES = ['freebsd-init+rc.d-shepherd', 'shepherd-pid1'] as const;
export type GuestBootMode = (typeof GUEST_BOOT_MODES)[number];

/** Names of the two partitions. The root file system is found by its name. */
export const BOOT_PARTITION = 'fruix-boot';
export const ROOT_PARTITION = 'fruix-root';

const INIT: Readonly<Record<GuestBootMode, string>> = {
  'freebsd-init+rc.d-shepherd': '/sbin/init',
  'shepherd-pid1': '/sbin/fruix-pid1',
};

/** Serial last: it becomes /dev/console. The rest is there for boot time under emulation, measured. */
const KERNEL_ARGUMENTS = [
  'console=tty0',
  'console=ttyS0,115200',
  'quiet',
  'mitigations=off',
  'nokaslr',
  'lsm=yama',
  'audit=0',
  'cryptomgr.notests',
  'tsc=reliable',
  'no_timer_check',
  '8250.nr_uarts=1',
  'noreplace-smp',
] as const;

export interface SyslinuxOptions {
  readonly bootMode: GuestBootMode;
  /** `named`: by the partition's name, through the initramfs. `missing`: no initramfs, so the kernel finds none. */
  readonly root: 'named' | 'missing';
}

/** The text of `syslinux.cfg` that boots `bootMode`. */
export function syslinuxConfig(options: SyslinuxOptions): string {
  const root = options.root === 'named' ? `root=PARTNAME=${ROOT_PARTITION}` : 'root=/dev/vda2';
  const labels = GUEST_BOOT_MODES.map((mode) => [
    `LABEL ${mode}`,
    '  LINUX /vmlinuz',
    ...(options.root === 'named' ? ['  INITRD /initrd.img'] : []),
    `  APPEND ${root} init=${INIT[mode]} ${KERNEL_ARGUMENTS.join(' ')}`,
  ]);
  return ['SERIAL 0 115200', 'PROMPT 0', 'TIMEOUT 0', `DEFAULT ${options.bootMode}`, ...labels.flat(), ''].join('\n');
}
