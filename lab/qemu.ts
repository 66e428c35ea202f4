/** The backend that runs each VM as a QEMU process. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Accelerator, acceleratorEvidence, chooseAccelerator } from './accelerator.ts';
import type { Backend, BackendVm, RunningVm } from './backend.ts';
import { type QemuPaths, qemuArgs } from './qemu-args.ts';
import { type FirmwareFiles, OVMF_PLACES, ovmfWarning, uefiFirmware } from './qemu-firmware.ts';
import { type ProcessEnd, type QemuProcess, startQemuProcess } from './qemu-process.ts';
import { Qmp, type QmpEvent } from './qmp.ts';

export interface QemuBackendOptions {
  /** One line per thing worth knowing: a guest that reset itself, a QEMU that had to be killed. */
  readonly log: (line: string) => void;
  /** Default: what this machine can do. */
  readonly accelerator?: Accelerator;
  /** Default `qemu-system-x86_64`, from PATH. */
  readonly binary?: string;
  /** Where UEFI firmware may be; default the places of the distributions. */
  readonly firmwarePlaces?: readonly FirmwareFiles[];
}

/** From the start of the process to its first answer; 0.3 s on a quiet machine. */
const START_DEADLINE_MS = 30_000;
const COMMAND_DEADLINE_MS = 5_000;
/** `quit` takes 0.3 s; after this the process is killed. */
const QUIT_DEADLINE_MS = 3_000;
/** Of a guest that writes without end the last part is kept in view. */
const SERIAL_READ_MAX = 1_048_576;
/** `sun_path` has 108 bytes with its final NUL. */
const SOCKET_PATH_MAX = 107;

export function qemuBackend(options: QemuBackendOptions): Backend {
  const accelerator = options.accelerator ?? chooseAccelerator(acceleratorEvidence());
  options.log(accelerator.why);
  const warning = ovmfWarning(options.firmwarePlaces);
  if (warning !== null) options.log(warning);
  return {
    kind: 'qemu',
    accelerator: accelerator.name,
    start: (vm) => startVm(vm, options, accelerator.name),
  };
}

/** Why QEMU ended of its own accord, where that is to be a reboot: the guest's own, or ours by QMP. */
const REBOOTS: readonly (string | null)[] = ['guest-reset', 'host-qmp-system-reset'];

/** What QEMU told of its own accord; decides the sentence at the end. */
interface Heard {
  shutdownReason: string | null;
}

interface Started {
  readonly qemu: QemuProcess;
  readonly qmp: Qmp;
  readonly heard: Heard;
}

async function startVm(vm: BackendVm, options: QemuBackendOptions, accelerator: 'kvm' | 'tcg'): Promise<RunningVm> {
  const paths: QemuPaths = {
    qmpSocket: shortSocket(vm.dir, 'qmp'),
    vncSocket: shortSocket(vm.dir, 'vnc'),
    serialFile: join(vm.dir, 'serial'),
  };
  const uefi = vm.firmware === 'uefi' ? await uefiFirmware(vm.dir, options.firmwarePlaces ?? OVMF_PLACES) : null;
  const args = qemuArgs(vm, { accelerator, paths, uefi });
  const launch = async (): Promise<Started> => {
    const qemu = await startQemuProcess(options.binary ?? 'qemu-system-x86_64', args, vm.dir);
    const heard: Heard = { shutdownReason: null };
    const qmp = await firstAnswer(qemu, paths.qmpSocket, (event) => {
      if (event.event === 'SHUTDOWN') heard.shutdownReason = String(event.data.reason);
    });
    return { qemu, qmp, heard };
  };
  return new QemuVm({ name: vm.name, log: options.log, paths, launch }, await launch());
}

interface Ways {
  readonly name: string;
  readonly log: (line: string) => void;
  readonly paths: QemuPaths;
  readonly launch: () => Promise<Started>;
}

/**
 * A VM that has been powered on: one QEMU process after another. A reboot ends the process and begins a new one, as it
 * ends a domain of Xen: its console breaks off and is opened anew. (Within one process a second boot was seen to take
 * 250 s under TCG, where the first took 13 s.)
 */
class QemuVm implements RunningVm {
  readonly exited: RunningVm['exited'];
  readonly vncSocketPath: string;
  readonly #ways: Ways;
  #now: Started;
  #stopAsked = false;

  constructor(ways: Ways, first: Started) {
    this.#ways = ways;
    this.#now = first;
    this.vncSocketPath = ways.paths.vncSocket;
    this.exited = this.#live();
  }

  async #live(): Promise<{ readonly seen: string }> {
    for (;;) {
      const { qemu, qmp, heard } = this.#now;
      const end = await qemu.ended;
      qmp.close();
      if (this.#stopAsked || !REBOOTS.includes(heard.shutdownReason)) {
        return { seen: endSentence(end, heard, this.#stopAsked) };
      }
      this.#ways.log(`VM ${this.#ways.name}: reboots (${heard.shutdownReason})`);
      try {
        this.#now = await this.#ways.launch();
      } catch (error) {
        return { seen: `it did not start again: ${error instanceof Error ? error.message : String(error)}` };
      }
      if (this.#stopAsked) this.#now.qemu.kill();
    }
  }

  async stop(): Promise<void> {
    this.#stopAsked = true;
    const { qemu, qmp } = this.#now;
    const late = setTimeout(() => {
      this.#ways.log(
        `VM ${this.#ways.name}: QEMU did not quit within ${QUIT_DEADLINE_MS} ms and is killed (${qemu.pid})`,
      );
      qemu.kill();
    }, QUIT_DEADLINE_MS);
    // QEMU may end before it answers; that it is gone is what counts, and the kill above is certain.
    await qmp.command('quit', {}, QUIT_DEADLINE_MS).catch(() => undefined);
    await this.exited;
    clearTimeout(late);
  }

  async reset(): Promise<void> {
    await this.#now.qmp.command('system_reset', {}, COMMAND_DEADLINE_MS);
  }

  serialText(): Promise<string> {
    return endOfFile(this.#ways.paths.serialFile);
  }
}

/**
 * QEMU runs once it has carried out a command: its greeting may come while it still sets up devices.
 * @throws with QEMU's own words when it dies instead, e.g. `Could not set up host forwarding rule`.
 */
async function firstAnswer(qemu: QemuProcess, socket: string, hear: (event: QmpEvent) => void): Promise<Qmp> {
  const startedMs = performance.now();
  let end: ProcessEnd | null = null;
  void qemu.ended.then((ended) => {
    end = ended;
  });
  let seen = 'nothing';
  while (performance.now() - startedMs < START_DEADLINE_MS) {
    try {
      const qmp = await Qmp.connect(socket, START_DEADLINE_MS - (performance.now() - startedMs), hear);
      const status = await qmp.command('query-status', {}, COMMAND_DEADLINE_MS);
      if (typeof status === 'object' && status !== null && 'running' in status && status.running === true) return qmp;
      qmp.close();
      seen = `status ${JSON.stringify(status)}`;
    } catch (error) {
      seen = error instanceof Error ? error.message : String(error);
    }
    // Its end, where it comes, is reported rather than the connection that broke with it.
    await Promise.race([qemu.ended, new Promise((resolve) => setTimeout(resolve, 20))]);
    if (end !== null) throw new Error(`QEMU did not start: ${endWords(end)}`);
  }
  qemu.kill();
  await qemu.ended;
  throw new Error(`QEMU did not answer within ${START_DEADLINE_MS / 1000} s of its start; last seen: ${seen}`);
}

function endSentence(end: ProcessEnd, { shutdownReason }: Heard, stopAsked: boolean): string {
  if (shutdownReason?.startsWith('guest-')) return `the guest powered itself off (${shutdownReason})`;
  if (stopAsked) return 'powered off by the lab';
  return `QEMU died: ${endWords(end)}`;
}

function endWords(end: ProcessEnd): string {
  const how = end.signal === null ? `exit status ${end.code}` : `killed by ${end.signal}`;
  return end.stderr === '' ? how : `${end.stderr.replaceAll(/\s*\n\s*/g, '; ')} (${how})`;
}

function shortSocket(dir: string, name: string): string {
  const path = join(dir, name);
  const bytes = Buffer.byteLength(path);
  if (bytes <= SOCKET_PATH_MAX) return path;
  throw new Error(
    `${path}: ${bytes} bytes are too long for a Unix socket (at most ${SOCKET_PATH_MAX}); ` +
      'give the lab a shorter state folder',
  );
}

async function endOfFile(path: string): Promise<string> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const length = Math.min(size, SERIAL_READ_MAX);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString('utf8', 0, bytesRead);
}
