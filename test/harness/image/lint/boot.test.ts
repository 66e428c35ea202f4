/** The boot loader, for the firmware asked for: each finding on a disk that has it, and on one that has not. */
import t from 'tap';
import type { LintFinding } from '../../../../harness/finding.ts';
import { Fat } from '../../../../harness/image/lint/fat.ts';
import { Window } from '../../../../harness/image/lint/window.ts';
import type { Firmware } from '../../../../harness/model.ts';
import { diskOver, fat, gptDisk, lint, MIB, mbrEntry, PMBR, pe, SECTOR, type Slot } from './disks.ts';

const bootOf = async (disk: Buffer, firmware: Firmware | null): Promise<LintFinding | undefined> =>
  (await lint(disk, { firmware })).get('boot-loader');

const LOADER = 'EFI/BOOT/BOOTX64.EFI';
const esp = (content: Buffer): Buffer => gptDisk(48, [{ type: 'efi', atMib: 1, mib: 40, content }]);
const espWith = (files: Readonly<Record<string, Buffer>>): Buffer => esp(fat(16, 16, files));

t.test('UEFI: a loader is found in each kind of FAT', async (t) => {
  for (const [bits, mib, more] of [
    [12, 4, ['-s', '4']],
    [16, 16, []],
    [32, 40, ['-s', '1']],
  ] as const) {
    const found = await bootOf(esp(fat(bits, mib, { [LOADER]: pe() }, more)), 'uefi');
    t.match(found, {
      status: 'ok',
      seen: `\\EFI\\BOOT\\BOOTX64.EFI in partition 1 (efi system "efi-name"), FAT${bits}`,
    });
  }
});

t.test('UEFI: names', async (t) => {
  // mcopy gives a long name where one is needed: the folder has hundreds of entries before, over several clusters.
  const many = Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [`EFI/BOOT/a rather long name number ${i}.text`, Buffer.from('x')]),
  );
  t.match(await bootOf(esp(fat(16, 16, { ...many, [LOADER]: pe() }, ['-s', '1'])), 'uefi'), { status: 'ok' });
  t.match(await bootOf(espWith({ 'efi/boot/bootx64.efi': pe() }), 'uefi'), { status: 'ok' }, 'lower case');
  t.match(await bootOf(espWith({ 'EFI/BOOT/BOOTX64.EFI.old': pe() }), 'uefi'), { status: 'broken' }, 'another name');
  t.match(await bootOf(espWith({ 'EFI/BOOT/BOOTX64.EFI/x': pe() }), 'uefi'), { status: 'broken' }, 'a folder');
  const deleted = fat(16, 16, { [LOADER]: pe() });
  deleted.writeUInt8(0xe5, deleted.indexOf('BOOTX64 EFI'));
  t.match(await bootOf(esp(deleted), 'uefi'), { status: 'broken' }, 'a deleted one');
});

t.test('FAT: long names count with the checksum of their short one only', async (t) => {
  const name = 'a rather long name, of several entries.conf';
  const volume = fat(16, 16, { [`EFI/${name}`]: Buffer.from('twelve bytes') });
  const find = async (wanted: string) => {
    const opened = await Fat.open(Window.over(diskOver(volume)));
    const file = (await opened?.find(['efi', wanted])) ?? null;
    return file && `${file.name}: ${await opened?.head(file, 4096)}`;
  };
  t.equal(await find(name.toUpperCase()), `${name}: twelve bytes`);
  t.equal(await find(name.slice(0, -1)), null);
  t.match(await find('ARATHE~1.CON'), name, 'by its short name, too');
  const at = volume.indexOf('ARATHE~1CON');
  volume.write('BRATHE~1CON', at);
  t.equal(await find(name), null, 'another short name: the long one belongs to a file that is gone');
  t.match(await find('BRATHE~1.CON'), /^BRATHE~1.CON: /);
});

const UEFI_ROWS: readonly (readonly [name: string, disk: () => Buffer, status: string, says: RegExp])[] = [
  ['no EFI system partition', () => gptDisk(8, [{ type: 'freebsdUfs', atMib: 1, mib: 4 }]), 'broken', /no EFI system/],
  ['an empty one', () => gptDisk(8, [{ type: 'efi', atMib: 1, mib: 4 }]), 'broken', /holds no FAT file system/],
  [
    'a FAT larger than its partition',
    () =>
      gptDisk(24, [{ type: 'efi', atMib: 1, mib: 8, content: fat(16, 16, { [LOADER]: pe() }).subarray(0, 8 * MIB) }]),
    'broken',
    /holds no FAT file system that fits into it/,
  ],
  ['a FAT without loader', () => espWith({ 'startup.nsh': Buffer.from('x') }), 'broken', /no \\EFI\\BOOT\\BOOTX64/],
  ["FreeBSD's loader only", () => espWith({ 'EFI/FREEBSD/LOADER.EFI': pe() }), 'warning', /FreeBSD's loader/],
  ['an ARM loader only', () => espWith({ 'EFI/BOOT/BOOTAA64.EFI': pe() }), 'broken', /only an ARM loader/],
  ['a text', () => espWith({ [LOADER]: Buffer.from('hello') }), 'broken', /no PE image/],
  ['nothing', () => espWith({ [LOADER]: Buffer.alloc(0) }), 'broken', /no PE image/],
  ['MZ only', () => espWith({ [LOADER]: pe().fill(0, 128) }), 'broken', /no PE header/],
  ['for ARM', () => espWith({ [LOADER]: pe({ machine: 0xaa64 }) }), 'broken', /machine 0xaa64, not for x86-64/],
  ['PE32', () => espWith({ [LOADER]: pe({ magic: 0x10b }) }), 'broken', /no PE32\+ image/],
  ['a driver', () => espWith({ [LOADER]: pe({ subsystem: 11 }) }), 'broken', /subsystem is 11/],
  [
    'a FAT of another type',
    () => gptDisk(24, [{ type: 'linux', atMib: 1, mib: 16, content: fat(16, 16, { [LOADER]: pe() }) }]),
    'warning',
    /not an EFI system partition by its type/,
  ],
  ['a FAT without table', () => fat(16, 16, { [LOADER]: pe() }), 'warning', /partition 0 \(the whole disk\)/],
  [
    'an EFI system partition in an MBR',
    () => {
      const disk = Buffer.concat([Buffer.alloc(MIB), fat(16, 16, { [LOADER]: pe() })]);
      mbrEntry(disk, 0, 0xef, MIB / SECTOR, (16 * MIB) / SECTOR);
      return disk;
    },
    'ok',
    /BOOTX64/,
  ],
];

for (const [name, disk, status, says] of UEFI_ROWS) {
  t.test(`UEFI: ${name}`, async (t) => {
    const found = await bootOf(disk(), 'uefi');
    t.equal(found?.status, status);
    t.match(found?.seen, says);
  });
}

const BOOT: Slot = { type: 'freebsdBoot', atMib: 1, mib: 0.5, content: Buffer.from('gptboot') };
const ROOT: Slot = { type: 'freebsdUfs', atMib: 2, mib: 4 };
const coded = (disk: Buffer, code: Buffer): Buffer => {
  code.copy(disk, 0);
  return disk;
};
const GRUB = (sector: number): Buffer => {
  const code = Buffer.alloc(440, 0x90);
  code.writeBigUInt64LE(BigInt(sector), 0x5c);
  code.write('GRUB \0Geom\0Hard Disk\0Read\0 Error\r\n', 384, 'latin1');
  return code;
};
const GPTMBR = Buffer.from('\x33\xc0Missing OS\r\n\x66\xb8!GPT', 'latin1');
const SIGNED = Buffer.alloc(SECTOR);
SIGNED.writeUInt16LE(0xaa55, 510);
const FLAGGED: Slot = { type: 'efi', atMib: 1, mib: 2, content: SIGNED, legacyBoot: true };

const mbrDisk = (active: readonly boolean[], signed = true): Buffer => {
  const disk = coded(Buffer.alloc(8 * MIB), Buffer.from('\xfaMissing operating system.\0', 'latin1'));
  active.forEach((on, i) => {
    mbrEntry(disk, i, 0x83, 2048 * (i + 1), 2048, on);
    if (signed) SIGNED.copy(disk, (i + 1) * MIB);
  });
  return disk;
};

const BIOS_ROWS: readonly (readonly [name: string, disk: () => Buffer, status: string, says: RegExp])[] = [
  [
    'pmbr, gptboot, UFS',
    () => coded(gptDisk(8, [BOOT, ROOT]), PMBR),
    'ok',
    /pmbr, then partition 1 .* then partition 2/,
  ],
  ['no code', () => gptDisk(8, [BOOT, ROOT]), 'broken', /no boot code in sector 0/],
  ['no signature', () => coded(gptDisk(8, [BOOT, ROOT]), PMBR).fill(0, 510, 512), 'broken', /55 AA/],
  ['pmbr alone', () => coded(gptDisk(8, [ROOT]), PMBR), 'broken', /no freebsd-boot partition/],
  [
    'pmbr, nothing in the partition',
    () => coded(gptDisk(8, [{ ...BOOT, content: Buffer.alloc(1) }, ROOT]), PMBR),
    'broken',
    /is empty/,
  ],
  ['a freebsd-boot of 545 KiB', () => coded(gptDisk(8, [{ ...BOOT, mib: 1090 / 2048 }, ROOT]), PMBR), 'ok', /pmbr/],
  [
    'one sector more',
    () => coded(gptDisk(8, [{ ...BOOT, mib: 1091 / 2048 }, ROOT]), PMBR),
    'broken',
    /at most 545 KiB/,
  ],
  ['no FreeBSD root', () => coded(gptDisk(8, [BOOT, { ...ROOT, type: 'linux' }]), PMBR), 'broken', /no freebsd-ufs/],
  [
    'GRUB',
    () => coded(gptDisk(8, [{ type: 'biosBoot', atMib: 1, mib: 1, content: Buffer.from('core') }, ROOT]), GRUB(2048)),
    'ok',
    /core.img in sector 2048/,
  ],
  [
    'GRUB without core',
    () => coded(gptDisk(8, [{ type: 'biosBoot', atMib: 1, mib: 1 }, ROOT]), GRUB(2048)),
    'broken',
    /core.img in sector 2048; .*empty|is empty/,
  ],
  ['GRUB to nowhere', () => coded(gptDisk(8, [ROOT]), GRUB(99999)), 'broken', /points to sector 99999/],
  [
    'GRUB into a file system',
    () => coded(gptDisk(8, [{ ...ROOT, content: Buffer.from('core') }]), GRUB(4096)),
    'unknown',
    /not in a BIOS boot partition/,
  ],
  ['gptmbr', () => coded(gptDisk(8, [FLAGGED, ROOT]), GPTMBR), 'ok', /gptmbr, then partition 1/],
  [
    'gptmbr, nothing marked',
    () => coded(gptDisk(8, [{ ...FLAGGED, legacyBoot: false }]), GPTMBR),
    'broken',
    /and there is none/,
  ],
  [
    'gptmbr, two marked',
    () => coded(gptDisk(8, [FLAGGED, { ...ROOT, legacyBoot: true }]), GPTMBR),
    'broken',
    /there is 1 and 2/,
  ],
  [
    'gptmbr, no second stage',
    () => coded(gptDisk(8, [{ ...FLAGGED, content: Buffer.alloc(1) }]), GPTMBR),
    'broken',
    /does not end in 55 AA/,
  ],
  ['an MBR with an active partition', () => mbrDisk([false, true]), 'ok', /then partition 2/],
  ['an MBR without', () => mbrDisk([false]), 'broken', /one partition that is active/],
  ['an active partition without boot sector', () => mbrDisk([true], false), 'broken', /does not end in 55 AA/],
  ['code that nobody knows', () => coded(gptDisk(8, [ROOT]), Buffer.alloc(100, 0x90)), 'unknown', /100 bytes of 440/],
];

for (const [name, disk, status, says] of BIOS_ROWS) {
  t.test(`BIOS: ${name}`, async (t) => {
    const found = await bootOf(disk(), 'bios');
    t.equal(found?.status, status, String(found?.seen));
    t.match(found?.seen, says);
  });
}

t.test('no firmware asked for: by which it could boot', async (t) => {
  const both = coded(espWith({ [LOADER]: pe() }), Buffer.alloc(100, 0x90));
  t.match(await bootOf(both, null), { status: 'ok', seen: /perhaps by BIOS: .*; by UEFI: / });
  const bios = coded(gptDisk(8, [BOOT, ROOT]), PMBR);
  t.match(await bootOf(bios, null), { status: 'ok', seen: /^by BIOS: .*; not by UEFI: no EFI system partition/ });
  t.match(await bootOf(bios, 'uefi'), { status: 'broken' });
  t.match(await bootOf(gptDisk(8, [ROOT]), null), { status: 'broken', seen: /neither by BIOS .* nor by UEFI/ });
  const doubtful = espWith({ 'EFI/FREEBSD/LOADER.EFI': pe() });
  t.match(await bootOf(doubtful, null), { status: 'warning', seen: /not by BIOS: .*; perhaps by UEFI/ });
});
