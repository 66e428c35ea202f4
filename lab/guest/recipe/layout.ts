/** Where the parts of the reference disk lie. Constants only. */

const MIB = 1024 * 1024;
export const SECTOR_BYTES = 512;
export const BOOT_MIB = 32;
export const ROOT_MIB = 192;

/** Offsets in bytes. Before the boot partition lies the partition table. */
export const BOOT_OFFSET = MIB;
export const ROOT_OFFSET = BOOT_OFFSET + BOOT_MIB * MIB;

/** The last MiB holds the backup of the partition table. */
export const DISK_BYTES = ROOT_OFFSET + (ROOT_MIB + 1) * MIB;
