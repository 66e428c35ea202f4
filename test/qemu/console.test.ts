/**
 * The screen of a real QEMU, through the lab's proxy: a boot sector writes FreeBSD's panic on the VGA, nothing comes
 * over a serial port, and the run must end in time with the right verdict. The text is FreeBSD's from its sources.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import t from 'tap';
import { startLab } from '../lab-process.ts';
import { runPhase, workdirRoot } from '../phase-process.ts';

const PANIC = [
  'Trying to mount root from ufs:/dev/gpt/root [rw]...',
  'Fatal trap 12: page fault while in kernel mode',
  'panic: page fault',
  'cpuid = 0',
  'time = 1769999999',
  'KDB: stack backtrace:',
  'Uptime: 3s',
  'Automatic reboot in 15 seconds - press a key on the console to abort',
  '',
].join('\r\n');

/**
 * Real mode: `xor ax, ax; mov ds, ax; cld; mov si, text; again: lodsb; or al, al; jz stop; mov ah, 14; mov bx, 7;
 * int 0x10; jmp again; stop: hlt; jmp stop`, then the text.
 */
function panicking(): Buffer {
  const disk = Buffer.alloc(4 * 2 ** 20);
  const code = [
    ...[0x31, 0xc0, 0x8e, 0xd8, 0xfc, 0xbe, 0x1a, 0x7c],
    ...[0xac, 0x08, 0xc0, 0x74, 0x09, 0xb4, 0x0e, 0xbb, 0x07, 0x00, 0xcd, 0x10, 0xeb, 0xf2],
    ...[0xf4, 0xeb, 0xfd, 0x90],
  ];
  Buffer.concat([Buffer.from(code), Buffer.from(`${PANIC}\0`)]).copy(disk);
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}

const dir = mkdtempSync(join(tmpdir(), 'bw-console-'));
const root = workdirRoot(t);
const lab = await startLab();
t.teardown(async () => {
  await lab.stop();
  rmSync(dir, { recursive: true, force: true });
});

t.test('a panic on the VGA alone', async (t) => {
  const image = join(dir, 'panicking.raw');
  writeFileSync(image, panicking());
  const labFile = join(dir, 'lab.toml');
  writeFileSync(labFile, readFileSync(lab.labFile, 'utf8').replace(/^serial_path.*\n/m, ''));
  const args = ['--lab', labFile, '--image', image, '--control', 'none', '--firmware', 'bios'];
  const outcome = await runPhase('phase9', root, args);
  t.equal(outcome.metadata.get('fault'), 'GUEST_PANICKED', outcome.stderr);
  t.equal(outcome.code, 1);
  t.match(outcome.metadata.get('reason'), /panic.*freebsd-panic/);
  const lines = readFileSync(join(outcome.workdir, 'evidence.ndjson'), 'utf8').trim().split('\n');
  const told = lines.map((line) => JSON.parse(line));
  const shots = told.filter(({ name }) => name === 'screenshot').map(({ data }) => data);
  t.ok(shots.some(({ milestone }) => milestone === 'end'));
  for (const { file } of shots.filter(({ sha256 }) => sha256 !== undefined)) {
    const { width, height } = PNG.sync.read(readFileSync(join(outcome.workdir, file)));
    t.ok(width >= 640 && height >= 400, `${file}: ${width}x${height}`);
  }
  t.match(readFileSync(join(outcome.workdir, 'console', 'screen.txt'), 'utf8'), /KDB: stack backtrace/);
  const silence = told.find(({ data }) => data.state === 'silent');
  t.comment(`silent after ${silence?.data.silence.waitedMs} ms, firmware included`);
  t.equal(outcome.metadata.get('leaked'), '0');
});
