/** `npm run lint-image` as a user calls it, and what a run makes of the same findings. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { gptDisk, PMBR } from '../harness/image/lint/disks.ts';
import { ufs } from '../harness/image/lint/ufs-writer.ts';
import { startLab } from '../lab-process.ts';
import { ownEnvironment, runPhase, workdirRoot } from '../phase-process.ts';

const dir = workdirRoot(t);
const file = (name: string, content: Buffer | string): string => {
  writeFileSync(join(dir, name), content);
  return join(dir, name);
};

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const lint = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Said> =>
  new Promise((resolve) => {
    const entry = fileURLToPath(new URL('../../lint-image.ts', import.meta.url));
    const all = ['--import', import.meta.resolve('tsx'), entry, ...args];
    const env = { ...ownEnvironment(), ...environment };
    const child = execFile(process.execPath, all, { env }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });

const freebsd = gptDisk(16, [
  { type: 'freebsdBoot', atMib: 1, mib: 0.5, content: Buffer.from('gptboot') },
  { type: 'freebsdUfs', atMib: 2, mib: 8, content: ufs({ mib: 8, clean: false }) },
]);
PMBR.copy(freebsd, 0);
const image = file('freebsd.raw', freebsd);

t.test('nothing broken is 0, with warnings and their remedies', async (t) => {
  const said = await lint([image]);
  t.equal(said.code, 0, said.stderr);
  t.match(said.stdout, /^ok {7}partition-table: GPT: partition 1 \(freebsd-boot/m);
  t.match(said.stdout, /^WARNING {2}file-system-2: UFS2 .*, not clean\n {9}why: .*\n {9}do: {2}.*fsck_ffs/m);
  t.match(said.stdout, /^0 broken, 1 warnings, 0 unknown, 7 ok; \d+ KiB read in \d+ ms\n$/m);
});

t.test('something broken is 1', async (t) => {
  const said = await lint(['--firmware', 'uefi', image]);
  t.equal(said.code, 1, said.stderr);
  t.match(said.stdout, /^BROKEN {3}boot-loader: no EFI system partition/m);
  t.equal((await lint([image], { BOOTWITNESS_FIRMWARE: 'uefi' })).code, 1, 'the variable says the same');
  t.equal((await lint([image, '--vdi-size', '1048576'])).code, 1, 'larger than its VDI');
});

t.test('--json', async (t) => {
  const said = await lint([image, '--json', '--firmware=bios', `--vdi-size=${16 * 1024 * 1024}`]);
  t.equal(said.code, 0, said.stderr);
  const told = JSON.parse(said.stdout);
  t.match(told, { schema: 1, image, sizeBytes: freebsd.length, firmware: 'bios', vdiBytes: freebsd.length });
  t.match(
    told.findings.find(({ name }: { name: string }) => name === 'file-system-2'),
    { status: 'warning', looked: 'superblock of partition 2 (freebsd-ufs "freebsdUfs-name")' },
  );
});

t.test('misuse is 2, in one sentence', async (t) => {
  const rows: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [[], /^FILE: expected one, given nothing\./],
    [[image, '--firmware', 'efi'], /^--firmware: expected bios or uefi, given "efi"\./],
    [[image, '--vdi-size', '8G'], /^--vdi-size: expected a number of bytes, given "8G"\./],
    [[join(dir, 'nowhere')], /there is no such file/],
    [[file('empty', '')], /it is empty/],
  ];
  for (const [args, says] of rows) {
    const said = await lint(args);
    t.equal(said.code, 2, args.join(' '));
    t.match(said.stderr, says);
    t.equal(said.stdout, '');
  }
});

t.test('a run tells the same as warnings, writes it down, and passes all the same', async (t) => {
  const lab = await startLab('--backend', 'simulated');
  t.teardown(() => lab.stop());
  const reference = /^"freebsd-init\+rc\.d-shepherd" = "(.*)"$/m.exec(readFileSync(lab.labFile, 'utf8'))?.[1] ?? '';
  const codeless = file('codeless.raw', '');
  // The same disk, but for the code in its first sector.
  const whole = readFileSync(reference);
  writeFileSync(codeless, whole.fill(0, 0, 440));
  const outcome = await runPhase('phase9', workdirRoot(t), ['--lab', lab.labFile, '--image', codeless]);
  t.equal(outcome.code, 0, outcome.stderr);
  t.equal(outcome.metadata.get('result'), 'PASS');
  t.match(outcome.stderr, /image: broken: boot-loader: no boot code in sector 0\. The BIOS stops/);
  t.match(outcome.metadata.get('lint'), /^broken boot-loader, unknown file-system-2$/);
  const told = outcome.result.lint.find(({ name }: { name: string }) => name === 'boot-loader');
  t.match(told, { status: 'broken', looked: 'boot by BIOS', remedy: /gpart bootcode/ });
  const evidence = readFileSync(join(outcome.workdir, 'evidence.ndjson'), 'utf8').split('\n');
  t.equal(evidence.filter((line) => line.includes('"name":"lint"')).length, 1);
});
