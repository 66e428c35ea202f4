/** The lint on the reference guest's image, whole, and broken in one place at a time. Boots nothing. */
import { execFileSync } from 'node:child_process';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { LintFinding } from '../../harness/finding.ts';
import type { Disk } from '../../harness/image/disk.ts';
import { lintDisk } from '../../harness/image/lint/lint.ts';
import { openUnplanned } from '../../harness/image/open-disk.ts';
import { Scratch } from '../../harness/image/scratch.ts';
import type { Firmware } from '../../harness/model.ts';
import { referenceGuest } from '../../lab/guest/reference.ts';

const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bootwitness');
const { images } = await referenceGuest({ cacheDir, log: () => undefined });
const path = images['shepherd-pid1'];
const reference = await openUnplanned(path, new Scratch({ dir: tmpdir() }));
t.teardown(() => reference.close());

const MIB = 1024 * 1024;
const BOOT_AT = MIB;
const ROOT_AT = 33 * MIB;

/** The reference with other bytes in some places, or of another size. */
const patched = (
  patches: readonly (readonly [at: number, bytes: Buffer])[],
  sizeBytes = reference.sizeBytes,
): Disk => ({
  sizeBytes,
  read: async (into, at) => {
    await reference.read(into, at);
    for (const [from, bytes] of patches) {
      for (const [i, byte] of bytes.entries()) {
        const place = from + i - at;
        if (place >= 0 && place < into.length) into[place] = byte;
      }
    }
  },
  close: async () => undefined,
});

const findings = async (disk: Disk, firmware: Firmware = 'bios'): Promise<readonly LintFinding[]> =>
  (await lintDisk(disk, { firmware, vdiBytes: null })).findings;

t.test('both modes boot by BIOS, as they do in the embedded lab', async (t) => {
  for (const image of Object.values(images)) {
    const disk = await openUnplanned(image, new Scratch({ dir: tmpdir() }));
    const { findings, readBytes } = await lintDisk(disk, { firmware: 'bios', vdiBytes: null });
    await disk.close();
    for (const { name, status, seen } of findings) t.equal(status, 'ok', `${name}: ${seen}`);
    t.ok(readBytes < MIB, `${readBytes} bytes read`);
  }
});

t.test('by UEFI, if mtools finds the loader too', async (t) => {
  const env = { ...process.env, MTOOLS_SKIP_CHECK: '1', MTOOLSRC: '/dev/null' };
  let there = true;
  try {
    execFileSync('mdir', ['-i', `${path}@@1M`, '::/EFI/BOOT/BOOTX64.EFI'], { env, stdio: 'ignore' });
  } catch {
    there = false;
  }
  const boot = (await findings(reference, 'uefi')).find(({ name }) => name === 'boot-loader');
  t.equal(boot?.status, there ? 'ok' : 'broken', String(boot?.seen));
});

const byte = (at: number, value = 0xa5): readonly [number, Buffer] => [at, Buffer.from([value])];
const zeros = (at: number, bytes: number): readonly [number, Buffer] => [at, Buffer.alloc(bytes)];
const END = reference.sizeBytes;

/** What is changed, and what must then be the only finding that is not ok. */
const ROWS: readonly (readonly [name: string, disk: Disk, finding: string, says: RegExp])[] = [
  ['primary header', patched([byte(512 + 60)]), 'broken gpt-primary', /header checksum/],
  ['primary table', patched([byte(1024 + 60)]), 'broken gpt-primary', /table checksum/],
  ['backup header', patched([byte(END - 512 + 60)]), 'warning gpt-backup', /header checksum/],
  ['backup table', patched([byte(END - 33 * 512 + 60)]), 'warning gpt-backup', /table checksum/],
  ['grown', patched([zeros(END, 512)], END + 10 * MIB), 'warning gpt-backup', /10 MiB before the end/],
  ['hybrid', patched([byte(446 + 16 + 4, 0xa5), byte(446 + 16 + 12, 1)]), 'warning protective-mbr', /hybrid/],
  ['no boot code', patched([zeros(0, 440)]), 'broken boot-loader', /no boot code/],
  ['no second stage', patched([zeros(BOOT_AT + 510, 2)]), 'broken boot-loader', /does not end in 55 AA/],
  ['root: checksum', patched([byte(ROOT_AT + 1024 + 0x30)]), 'broken file-system-2', /superblock checksum/],
  ['root: gone', patched([zeros(ROOT_AT + 1024, 1024)]), 'unknown file-system-2', /no file system that is known/],
];

for (const [name, disk, finding, says] of ROWS) {
  t.test(`broken copy: ${name}`, async (t) => {
    const bad = (await findings(disk)).filter(({ status }) => status !== 'ok');
    t.same(
      bad.map((each) => `${each.status} ${each.name}`),
      [finding],
    );
    t.match(bad[0]?.seen, says);
  });
}

t.test('broken copy: cut', async (t) => {
  const bad = (await findings(patched([], END - 40 * MIB))).filter(({ status }) => status === 'broken');
  t.same(
    bad.map(({ name }) => name),
    ['gpt-backup', 'partitions', 'file-system-2'],
  );
});
