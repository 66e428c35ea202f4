/**
 * The QEMU backend with real QEMU processes, and boot sectors of a few bytes as guests: start, screen,
 * serial, reset, power-off, death, and that nothing is left whatever happens.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { BackendVm, RunningVm } from '../../lab/backend.ts';
import { type QemuBackendOptions, qemuBackend } from '../../lab/qemu.ts';
import { takeSlots } from '../../lab/slots.ts';

const PORT = 2222;
const WORD = 'boot sector\n';
const WAIT_MS = 30_000;

const block = await takeSlots(1, PORT);
const address = block.slots[0]?.address ?? '';
t.teardown(() => block.release());

/** Real mode: `mov dx, 0x3f8`, then `mov al, byte; out dx, al` for each; what follows; else `cli; hlt` for ever. */
function bootSector(more: readonly number[] = []): Buffer {
  const sector = Buffer.alloc(2 ** 20);
  const say = [...Buffer.from(WORD)].flatMap((byte) => [0xb0, byte, 0xee]);
  Buffer.from([0xba, 0xf8, 0x03, ...say, ...more, 0xfa, 0xf4, 0xeb, 0xfd]).copy(sector);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}
/** `mov dx, 0x604; mov ax, 0x2000; out dx, ax`: sleep type 5 in the power management register of i440fx. */
const POWER_OFF = [0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef];

function newVm(t: Test, changes: Partial<BackendVm> = {}, disk = bootSector()): BackendVm {
  const dir = mkdtempSync(join(tmpdir(), 'bw-qemu-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 'disk,1.raw');
  writeFileSync(path, disk);
  return {
    uuid: randomUUID(),
    name: 'backend test, one',
    memoryBytes: 64 * 2 ** 20,
    cpus: 1,
    firmware: 'bios',
    nicType: null,
    bootOrder: 'c',
    disks: [{ path, position: '0', readOnly: false }],
    nics: [{ mac: '02:00:00:00:aa:01', address, dead: false }],
    dir,
    ...changes,
  };
}

const said: string[] = [];
async function start(t: Test, vm: BackendVm, options: Partial<QemuBackendOptions> = {}): Promise<RunningVm> {
  const running = await qemuBackend({ log: (line) => said.push(line), ...options }).start(vm);
  t.teardown(() => running.stop());
  return running;
}

/** QEMU processes of this VM that live; a zombie has no command line any more. */
function pidsOf(vm: BackendVm): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
        return /qemu-system/.test(words[0] ?? '') && words.includes(vm.uuid);
      } catch {
        return false; // It ended between the listing and the look.
      }
    });
}

async function eventually(what: string, look: () => Promise<boolean> | boolean): Promise<void> {
  const until = performance.now() + WAIT_MS;
  while (!(await look())) {
    if (performance.now() > until) throw new Error(`${what}: not within ${WAIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const times = async (running: RunningVm): Promise<number> => (await running.serialText()).split(WORD).length - 1;

t.test('a VM runs: serial, screen, forwarded port, reset, its own process group; stop leaves nothing', async (t) => {
  const vm = newVm(t);
  const running = await start(t, vm);
  const [pid = 0, ...more] = pidsOf(vm);
  t.same(more, []);
  const group = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ')[2];
  t.equal(group, String(pid), 'a Ctrl-C on the terminal does not reach it');
  t.notMatch(readFileSync(`/proc/${pid}/environ`, 'latin1'), /HOME=/, 'nor does our environment');
  await eventually('the boot sector’s word on the serial port', async () => (await times(running)) === 1);
  await running.reset();
  await eventually('the word again after a reset', async () => (await times(running)) === 2);
  const rfb = createConnection(running.vncSocketPath ?? '');
  t.equal(await new Promise((resolve) => rfb.once('data', (data) => resolve(String(data)))), 'RFB 003.008\n');
  rfb.destroy();
  const ssh = createConnection({ host: address, port: PORT });
  await new Promise((resolve, reject) => ssh.once('connect', resolve).once('error', reject));
  ssh.destroy();
  await running.stop();
  t.same(pidsOf(vm), []);
  t.same(await running.exited, { seen: 'powered off by the lab' });
  await running.stop();
  t.equal(await times(running), 2, 'the serial text can still be read');
});

t.test('stopped at any moment of a reboot, nothing of it lives on', async (t) => {
  for (const afterMs of [0, 20, 60, 150, 300]) {
    const vm = newVm(t, { nics: [] });
    const running = await start(t, vm);
    await running.reset();
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await running.stop();
    t.same(pidsOf(vm), [], `stopped ${afterMs} ms after it`);
    t.same(await running.exited, { seen: 'powered off by the lab' });
  }
});

t.test('the guest powers itself off', async (t) => {
  const running = await start(t, newVm(t, {}, bootSector(POWER_OFF)));
  t.same(await running.exited, { seen: 'the guest powered itself off (guest-shutdown)' });
  t.equal(await times(running), 1);
});

t.test('a QEMU that is killed from outside is a death, and says so', async (t) => {
  const vm = newVm(t);
  const running = await start(t, vm);
  for (const pid of pidsOf(vm)) process.kill(pid, 'SIGKILL');
  t.same(await running.exited, { seen: 'QEMU died: killed by SIGKILL' });
});

t.test('a QEMU that does not react any more is killed after a while', async (t) => {
  const vm = newVm(t);
  const running = await start(t, vm);
  for (const pid of pidsOf(vm)) process.kill(pid, 'SIGSTOP');
  await running.stop();
  t.same(pidsOf(vm), []);
  t.match(said.at(-1), /did not quit within 3000 ms and is killed/);
});

t.test('an address that is taken: refused with QEMU’s own words, and nothing is left', async (t) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen({ host: address, port: PORT }, resolve));
  t.teardown(() => holder.close());
  const vm = newVm(t);
  await t.rejects(start(t, vm), /^.*Could not set up host forwarding rule 'tcp:127\.[\d.]+:2222-:22'.*exit status 1/);
  t.same(pidsOf(vm), []);
});

t.test('a disk that is in use by another VM is refused', async (t) => {
  const first = newVm(t, { nics: [] });
  await start(t, first);
  const second = newVm(t, { nics: [], disks: first.disks });
  await t.rejects(start(t, second), /Failed to get "write" lock/);
});

t.test('what cannot be started is said clearly', async (t) => {
  const nowhere = newVm(t, { disks: [{ path: '/nonexistent/disk.raw', position: '0', readOnly: false }] });
  await t.rejects(start(t, nowhere), /Could not open '\/nonexistent\/disk\.raw': No such file/);
  await t.rejects(start(t, newVm(t), { binary: 'no-such-qemu' }), /no-such-qemu: not found \(exit status 127\)/);
  const uefi = newVm(t, { firmware: 'uefi' });
  await t.rejects(
    start(t, uefi, { firmwarePlaces: [] }),
    /firmware uefi needs OVMF.*setup\.sh \(Debian: package ovmf\)/,
  );
  const deep = newVm(t, { dir: `/tmp/${'x'.repeat(110)}` });
  await t.rejects(start(t, deep), /too long for a Unix socket \(at most 107\)/);
});

t.test('QEMU dies with the process that started it, also when that is killed with -9', async (t) => {
  const vm = newVm(t);
  const script = fileURLToPath(new URL('start-one.ts', import.meta.url));
  const args = ['--import', import.meta.resolve('tsx'), script, JSON.stringify(vm)];
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => parent.kill('SIGKILL'));
  await new Promise((resolve, reject) => {
    parent.stdout.once('data', resolve);
    parent.once('close', () => reject(new Error('it ended before its VM ran')));
  });
  t.equal(pidsOf(vm).length, 1);
  const gone = new Promise((resolve) => parent.once('close', resolve));
  parent.kill('SIGKILL');
  await gone;
  await eventually('QEMU gone', () => pidsOf(vm).length === 0);
});
