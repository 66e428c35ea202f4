/**
 * One simulated VM: listens on the addresses of its NICs from power-on, as a user-mode network does,
 * and lets its sshd answer once the guest is "up". Holds everything that must end with it.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { BackendNic, BackendVm, RunningVm } from '../backend.ts';
import type { Answer, BootMode, GuestBehaviour } from './guest-answers.ts';
import { type Question, type Reply, replyTo } from './script-reply.ts';
import { type SimulatedBoot, simulatedFacts } from './simulated-facts.ts';
import { SimulatedScreen } from './simulated-screen.ts';
import { BANNER, type SshServer, sshServer } from './ssh-server.ts';

const SERIAL_HEAD = 'simulated guest: nothing boots here, and what it shows is about the harness only\n';

export interface SimulatedVmOptions {
  readonly vm: BackendVm;
  readonly behaviour: GuestBehaviour;
  readonly mode: BootMode;
  readonly closure: string;
  readonly diskHead: Buffer | null;
  readonly authorizedKey: string;
  readonly sshPort: number;
}

const PANIC = 'panic: page fault\ncpuid = 0\ntime = 1\nKDB: stack backtrace:\n';

/** From being asked over SSH to being off. */
const POWER_OFF_MS = 200;

export class SimulatedVm implements RunningVm {
  readonly vncSocketPath: string | null;
  readonly exited: Promise<{ readonly seen: string }>;
  readonly #options: SimulatedVmOptions;
  readonly #ssh: SshServer;
  readonly #screen: SimulatedScreen | null;
  readonly #listeners: Server[] = [];
  /** Open connections of one boot. */
  readonly #sockets = new Set<Socket>();
  /** Connections that came before the guest was up; it answers them when it is. */
  readonly #waiting = new Set<Socket>();
  readonly #asked = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #settleExited: (end: { readonly seen: string }) => void = () => undefined;
  #boot: SimulatedBoot;
  #up = false;
  #boots = 0;
  #serial = '';
  /** Of it, what this boot has said. */
  #said = '';
  #off = false;
  /** Its sshd is gone until the next boot. */
  #deaf = false;

  constructor(options: SimulatedVmOptions) {
    this.#options = options;
    this.exited = new Promise((resolve) => {
      this.#settleExited = resolve;
    });
    this.#ssh = sshServer({
      authorizedKey: options.authorizedKey,
      user: options.behaviour.boot.user,
      become: options.behaviour.boot.become,
      refuseKeys: options.behaviour.boot.sshd === 'refuse-key',
      oldAlgorithms: options.behaviour.boot.sshd === 'old-algorithms',
      answer: (question) => this.#answer(question),
    });
    this.#screen = options.behaviour.boot.screen === null ? null : new SimulatedScreen(options.vm.dir);
    this.vncSocketPath = this.#screen?.socketPath ?? null;
    this.#boot = this.#newBoot();
  }

  /** @throws Error where an address is taken, or a screen cannot be drawn. */
  async powerOn(): Promise<void> {
    try {
      await this.#screen?.open();
      for (const nic of this.#options.vm.nics) await this.#listen(nic);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#begin();
  }

  async stop(): Promise<void> {
    await this.#powerOff('powered off by the lab');
  }

  async reset(): Promise<void> {
    if (this.#off) return;
    this.#endBoot();
    this.#boot = this.#newBoot();
    this.#begin();
  }

  async serialText(): Promise<string> {
    return this.#serial;
  }

  #newBoot(): SimulatedBoot {
    const { vm, mode, closure, diskHead } = this.#options;
    return { vm, mode, closure, diskHead, bootId: randomUUID(), bootedAtMs: Date.now() };
  }

  #begin(): void {
    const { boot } = this.#options.behaviour;
    this.#boots++;
    this.#said = '';
    this.#say(SERIAL_HEAD);
    if (boot.serialAfterMs === 0) this.#say(boot.serial);
    else this.#later(boot.serialAfterMs, () => this.#say(boot.serial));
    this.#later(boot.delayMs, () => {
      this.#up = true;
      for (const socket of this.#waiting) this.#greet(socket);
      this.#waiting.clear();
    });
    if (boot.rebootAfterMs !== null) this.#later(boot.rebootAfterMs, () => void this.reset());
    const screens = boot.screen === 'serial' ? [] : (boot.screen ?? []);
    for (const { afterMs, text } of screens) this.#later(afterMs, () => this.#screen?.show(text));
    if (boot.haltAfterMs !== null) {
      this.#later(boot.haltAfterMs, () => void this.#powerOff('the guest powered itself off (simulated)'));
    }
  }

  #say(text: string): void {
    this.#serial += text;
    this.#said += text;
    if (this.#options.behaviour.boot.screen === 'serial') this.#screen?.showEnd(this.#said);
  }

  #endBoot(): void {
    this.#up = false;
    this.#deaf = false;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting.clear();
    this.#asked.clear();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    this.#screen?.reset();
  }

  async #powerOff(seen: string): Promise<void> {
    if (this.#off) {
      await this.exited;
      return;
    }
    this.#off = true;
    const closed = this.#listeners.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    this.#endBoot();
    await Promise.all([...closed, this.#screen?.close()]);
    this.#settleExited({ seen });
  }

  #listen(nic: BackendNic): Promise<void> {
    const { address, dead } = nic;
    const { sshPort } = this.#options;
    if (address === null) return Promise.resolve();
    const server = createServer((socket) => this.#connected(socket, dead));
    return new Promise((resolve, reject) => {
      server.once('error', (cause) => {
        reject(new Error(`simulated guest: cannot listen on ${address}:${sshPort}: ${cause.message}`, { cause }));
      });
      server.listen({ host: address, port: sshPort }, () => {
        this.#listeners.push(server);
        resolve();
      });
    });
  }

  #connected(socket: Socket, dead: boolean): void {
    this.#sockets.add(socket);
    // Else each small packet of the handshake waits up to 40 ms for the one before it to be acknowledged.
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#waiting.delete(socket);
    });
    if (dead) return;
    if (this.#up) this.#greet(socket);
    else this.#waiting.add(socket);
  }

  #greet(socket: Socket): void {
    switch (this.#deaf ? 'immediate-end' : this.#options.behaviour.boot.sshd) {
      case 'never':
        return;
      case 'immediate-end':
        socket.resume();
        socket.end();
        return;
      case 'banner-then-silence':
        socket.write(`${BANNER}\r\n`);
        return;
      case 'normal':
      case 'refuse-key':
      case 'old-algorithms':
        this.#ssh.serve(socket);
    }
  }

  async #answer(question: Question): Promise<Reply> {
    const times = (this.#asked.get(question.probe) ?? 0) + 1;
    this.#asked.set(question.probe, times);
    const answer = this.#answerFor(question.probe, times);
    if (answer !== null && answer.delayMs > 0) {
      await new Promise<void>((resolve) => this.#later(answer.delayMs, resolve));
    }
    if (answer?.goes === 'halt') await this.#powerOff('the guest powered itself off (simulated)');
    if (answer?.goes === 'reboot') await this.reset();
    if (question.probe === 'reboot') this.#later(POWER_OFF_MS, () => void this.#rebootAsked());
    if (answer?.goes === 'deaf') this.#deaf = true;
    if (answer?.goes === 'panic') {
      this.#endBoot();
      this.#say(PANIC);
    }
    if (question.probe === 'power-off') this.#later(POWER_OFF_MS, () => void this.#powerOff('powered off over SSH'));
    const facts = simulatedFacts(question.probe, this.#boot, Date.now());
    return replyTo(question, facts, answer, this.#options.behaviour.shell);
  }

  /** As `shutdown -r` ends: the connections are cut, and what comes then is the guest's. */
  async #rebootAsked(): Promise<void> {
    const { reboot } = this.#options.behaviour.boot;
    if (reboot === 'ignores') return;
    if (reboot === 'halts') return this.#powerOff('the guest powered itself off (simulated)');
    if (reboot === 'boots') return this.reset();
    this.#endBoot();
    if (reboot === 'panics') this.#say(PANIC);
    if (reboot === 'keeps-boot-id') this.#up = true;
  }

  #answerFor(probe: string, times: number): Answer | null {
    const { answers } = this.#options.behaviour;
    const given = Object.hasOwn(answers, probe) ? answers[probe] : undefined;
    return given?.findLast((answer) => answer.boot <= this.#boots && answer.after <= times) ?? null;
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}
