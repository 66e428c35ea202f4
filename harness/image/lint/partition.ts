/** A partition as the lint sees it, whatever table it stands in; and what the types in tables mean. */

/** What a partition is for, by its type in the table. Its content is looked at apart. */
export type PartitionKind =
  | 'efi system'
  | 'BIOS boot'
  | 'freebsd-boot'
  | 'freebsd-ufs'
  | 'freebsd-zfs'
  | 'freebsd-swap'
  | 'freebsd'
  | 'linux'
  | 'linux-swap'
  | 'extended'
  | 'other';

export interface Partition {
  /** As in the table, from 1. */
  readonly number: number;
  readonly kind: PartitionKind;
  /** GUID in lower case, or `0xa5`. */
  readonly type: string;
  /** Name in the table; empty in an MBR. */
  readonly name: string;
  /** In sectors of 512 bytes. */
  readonly firstSector: number;
  /** Of the last sector that belongs to it. */
  readonly lastSector: number;
  /** MBR: active. GPT: attribute bit 2, LegacyBIOSBootable (UEFI specification 2.10, 5.3.3). */
  readonly active: boolean;
}

/** Bytes of a sector: a VDI of XCP-ng has sectors of 512 bytes. */
export const SECTOR = 512;

/**
 * Types of GPT partitions: UEFI specification 2.10, 5.3.3; FreeBSD sys/sys/disk/gpt.h and gpart(8); the Discoverable
 * Partitions Specification for Linux; GRUB's manual for the BIOS boot partition.
 */
const GPT_KINDS: Readonly<Record<string, PartitionKind>> = {
  'c12a7328-f81f-11d2-ba4b-00a0c93ec93b': 'efi system',
  '21686148-6449-6e6f-744e-656564454649': 'BIOS boot',
  '83bd6b9d-7f41-11dc-be0b-001560b84f0f': 'freebsd-boot',
  '516e7cb6-6ecf-11d6-8ff8-00022d09712b': 'freebsd-ufs',
  '516e7cba-6ecf-11d6-8ff8-00022d09712b': 'freebsd-zfs',
  '516e7cb5-6ecf-11d6-8ff8-00022d09712b': 'freebsd-swap',
  '516e7cb4-6ecf-11d6-8ff8-00022d09712b': 'freebsd',
  '0fc63daf-8483-4772-8e79-3d69d8477de4': 'linux',
  '4f68bce3-e8cd-4db1-96e7-fbcaf984b709': 'linux',
  '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f': 'linux-swap',
};

/** Types of MBR partitions: UEFI specification 5.2.2 for 0xEF; FreeBSD sys/sys/disk/mbr.h for the others. */
const MBR_KINDS: Readonly<Record<string, PartitionKind>> = {
  '0x05': 'extended',
  '0x0f': 'extended',
  '0x82': 'linux-swap',
  '0x83': 'linux',
  '0xa5': 'freebsd',
  '0xef': 'efi system',
};

/** @param type GUID in lower case, or `0xa5` */
export const kindOf = (type: string): PartitionKind => GPT_KINDS[type] ?? MBR_KINDS[type] ?? 'other';

export const startBytes = ({ firstSector }: Partition): number => firstSector * SECTOR;
export const sizeBytes = ({ firstSector, lastSector }: Partition): number => (lastSector - firstSector + 1) * SECTOR;

/** `partition 2 (freebsd-ufs "root")` */
export function shownPartition({ number, kind, type, name }: Partition): string {
  return `partition ${number} (${kind === 'other' ? type : kind}${name === '' ? '' : ` "${name}"`})`;
}
