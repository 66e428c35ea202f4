/** What one broken variant of the reference guest is, and the places in it that several of them change. */
import type { Change } from './change.ts';
import type { GuestBootMode } from './recipe/syslinux.ts';

export interface FaultRow {
  /** One sentence: what is different in the image. */
  readonly changed: string;
  /** One sentence: what is to be seen from outside or by a probe. */
  readonly seen: string;
  /** The only boot mode that it makes sense in; null: both. */
  readonly onlyIn: GuestBootMode | null;
  /** The mode the image really boots in, where that is not the one asked for. */
  readonly bootsAs: GuestBootMode | null;
  /** False: the boot loader gives the kernel no initramfs, so it finds no disk. */
  readonly hasRoot: boolean;
  /** False: the boot partition has a loader for BIOS alone. */
  readonly hasEfiLoader: boolean;
  readonly changes: (mode: GuestBootMode) => readonly Change[];
}

export const READY_SERVICE = '@CLOSURE@/etc/shepherd/ready.scm';
export const PUBLISH_MARKER = '(rename-file partial ready-marker)';
export const BRING_UP = '@CLOSURE@/boot/bring-up';

/** Broken in both modes by the same changes. */
export function row(changed: string, seen: string, ...changes: readonly Change[]): FaultRow {
  return { changed, seen, onlyIn: null, bootsAs: null, hasRoot: true, hasEfiLoader: true, changes: () => changes };
}

/** `publish` takes the place of the marker's publication in the ready service. */
export function publishing(publish: string): Change {
  return { kind: 'edit', path: READY_SERVICE, from: PUBLISH_MARKER, to: publish };
}
