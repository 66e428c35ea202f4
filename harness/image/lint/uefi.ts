/**
 * Whether a fresh VM with UEFI firmware would find a loader: one without boot entries looks for \EFI\BOOT\BOOTX64.EFI
 * in FAT volumes (UEFI specification 2.10, 3.5.1.1 and 13.3; FreeBSD's uefi(8)).
 */
import { Fat, type FatFile } from './fat.ts';
import { broken, doubtful, fine, type Look } from './look.ts';
import { type Partition, shownPartition, sizeBytes, startBytes } from './partition.ts';
import type { Window } from './window.ts';

const HEAD_BYTES = 4096;
/** Partitions that are looked into; a GPT can hold 128. */
const PARTITIONS_MAX = 32;

/** Loaders that need a boot entry in NVRAM, which a VM made for a run has not. */
const BY_ENTRY_ONLY: readonly (readonly [path: readonly string[], whose: string])[] = [
  [['EFI', 'FREEBSD', 'LOADER.EFI'], "FreeBSD's"],
  [['EFI', 'debian', 'grubx64.efi'], "Debian's"],
  [['EFI', 'debian', 'shimx64.efi'], "Debian's"],
  [['EFI', 'BOOT', 'BOOTIA32.EFI'], 'a 32-bit'],
  [['EFI', 'BOOT', 'BOOTAA64.EFI'], 'an ARM'],
];

const WHY = 'The firmware finds no loader, and ends in its shell or with "No bootable option or device was found".';
const PUT_LOADER =
  'Put the loader into the EFI system partition as \\EFI\\BOOT\\BOOTX64.EFI (FreeBSD: /boot/loader.efi).';

interface Volume {
  readonly partition: Partition;
  readonly fat: Fat;
  readonly loader: FatFile | null;
}

/** @param disk the whole disk */
export async function judgeUefi(disk: Window, partitions: readonly Partition[]): Promise<Look> {
  const volumes: Volume[] = [];
  const damaged: Partition[] = [];
  for (const partition of partitions.slice(0, PARTITIONS_MAX)) {
    const fat = await Fat.open(disk.part(startBytes(partition), sizeBytes(partition)));
    if (fat !== null) volumes.push({ partition, fat, loader: await fat.find(['EFI', 'BOOT', 'BOOTX64.EFI']) });
    else if (partition.kind === 'efi system') damaged.push(partition);
  }
  const candidates = [...volumes].sort((a, b) => Number(isEsp(b)) - Number(isEsp(a)));
  const withLoader = candidates.find(({ loader }) => loader !== null && !loader.directory);
  if (withLoader?.loader) return judgeLoader(withLoader, withLoader.loader);
  return withoutLoader(candidates, damaged);
}

const isEsp = ({ partition }: Volume): boolean => partition.kind === 'efi system';

async function judgeLoader(volume: Volume, loader: FatFile): Promise<Look> {
  const { partition, fat } = volume;
  const where = `\\EFI\\BOOT\\${loader.name.toUpperCase()} in ${shownPartition(partition)}, ${fat.type}`;
  const problem = peProblem(await fat.head(loader, HEAD_BYTES));
  if (problem !== null) return broken(`${where}: ${problem}`, WHY, PUT_LOADER);
  if (isEsp(volume)) return fine(where);
  return doubtful(
    `${where}, which is not an EFI system partition by its type`,
    'The specification wants the type; OVMF looks into any FAT volume, other firmware need not.',
    'Give the partition the type of an EFI system partition (gpart: efi; sgdisk: ef00; MBR: 0xEF).',
  );
}

async function withoutLoader(volumes: readonly Volume[], damaged: readonly Partition[]): Promise<Look> {
  for (const { fat, partition } of volumes) {
    for (const [path, whose] of BY_ENTRY_ONLY) {
      if ((await fat.find(path)) === null) continue;
      const name = `\\${path.join('\\').toUpperCase()}`;
      const seen = `only ${whose} loader ${name} in ${shownPartition(partition)}, no \\EFI\\BOOT\\BOOTX64.EFI`;
      if (path[1] === 'BOOT') return broken(seen, WHY, PUT_LOADER);
      const why = 'It is started by a boot entry in NVRAM, and a VM that is made for a run has none; a fixed VM may.';
      return doubtful(seen, why, PUT_LOADER);
    }
  }
  const esp = volumes.find(isEsp);
  if (esp)
    return broken(`no \\EFI\\BOOT\\BOOTX64.EFI in ${shownPartition(esp.partition)}, ${esp.fat.type}`, WHY, PUT_LOADER);
  const [first] = damaged;
  if (first) {
    const seen = `${shownPartition(first)} holds no FAT file system that fits into it`;
    return broken(seen, WHY, `Make a FAT file system in it. ${PUT_LOADER}`);
  }
  return broken('no EFI system partition', WHY, `Add one with a FAT file system. ${PUT_LOADER}`);
}

/**
 * Why the firmware would not load it as an application (UEFI specification 2.1.1; Microsoft's PE format): `MZ`, at 0x3C
 * where `PE\0\0` stands, then the machine (0x8664), and 24 bytes behind `PE` the magic of PE32+ (0x20B). At 68 of that
 * optional header the subsystem: 10 is an EFI application.
 * @returns null where it is one
 */
function peProblem(head: Buffer): string | null {
  if (head.length < 64 || head.toString('latin1', 0, 2) !== 'MZ') return 'it is no PE image, it does not begin with MZ';
  const at = head.readUInt32LE(0x3c);
  if (at + 24 + 70 > head.length || head.toString('latin1', at, at + 4) !== 'PE\0\0') return 'it has no PE header';
  const machine = head.readUInt16LE(at + 4);
  if (machine !== 0x8664) return `it is made for machine 0x${machine.toString(16)}, not for x86-64 (0x8664)`;
  if (head.readUInt16LE(at + 24) !== 0x20b) return 'it is no PE32+ image';
  const subsystem = head.readUInt16LE(at + 24 + 68);
  return subsystem === 10 ? null : `its subsystem is ${subsystem}, not 10 (EFI application)`;
}
