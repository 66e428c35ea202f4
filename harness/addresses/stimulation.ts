/**
 * Sends one packet to each address of a network, so that the neighbour table of the machine which sends them gets to
 * know the guests. Only where the operator asked for it, and no faster than he said.
 */
import { createSocket } from 'node:dgram';
import type { Clock, Deadline } from '../deadline.ts';
import type { ScriptRunner } from './run-here.ts';

export interface Stimulation {
  /** Starts a pass unless one runs, or ended a moment ago. Never throws: a table that stays empty is told as such. */
  start(deadline: Deadline): void;
  /** Ends with the pass that runs. */
  idle(): Promise<void>;
}

/** Sends to these addresses within about a second. */
type Send = (addresses: readonly string[], deadline: Deadline) => Promise<void>;

/** Between two passes. */
const REST_MS = 30_000;
const DISCARD_PORT = 9;
const SECOND_MS = 1_000;

/** Host addresses of a network, without its own and its broadcast address where it has them. */
export function hostsOf(cidr: string): readonly string[] {
  const [network = '', bits = ''] = cidr.split('/');
  const base = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(base / size) * size;
  const all = Array.from({ length: size }, (_, index) => first + index);
  const hosts = size > 2 ? all.slice(1, -1) : all;
  return hosts.map((host) => [24, 16, 8, 0].map((shift) => Math.floor(host / 2 ** shift) % 256).join('.'));
}

/** UDP to the discard port: needs no rights, and the kernel asks for the MAC all the same. */
const sendHere: Send = async (addresses) => {
  const socket = createSocket('udp4');
  socket.on('error', () => undefined); // nobody listens there, and some say so
  const sent = addresses.map(
    (address) => new Promise<void>((resolve) => socket.send('', DISCARD_PORT, address, () => resolve())),
  );
  await Promise.all(sent);
  socket.close();
};

/** Pings in the background; the reply does not matter. `-t` is a time limit on FreeBSD and a TTL on Linux: neither. */
const sendBy =
  (run: ScriptRunner): Send =>
  async (addresses, deadline) => {
    const pings = addresses.map((address) => `ping -c 1 ${address} >/dev/null 2>&1 </dev/null &`);
    await run('stimulation', `${pings.join('\n')}\nexit 0\n`, deadline);
  };

class Passes implements Stimulation {
  readonly #hosts: readonly string[];
  readonly #perSecond: number;
  readonly #send: Send;
  #running: Promise<void> | null = null;
  #endedMs = Number.NEGATIVE_INFINITY;

  constructor(cidr: string, perSecond: number, send: Send) {
    this.#hosts = hostsOf(cidr);
    this.#perSecond = Math.max(1, Math.floor(perSecond));
    this.#send = send;
  }

  start(deadline: Deadline): void {
    const { clock } = deadline;
    if (this.#running !== null || clock.nowMs() - this.#endedMs < REST_MS) return;
    this.#running = this.#pass(deadline, clock).finally(() => {
      this.#running = null;
      this.#endedMs = clock.nowMs();
    });
  }

  async idle(): Promise<void> {
    await this.#running;
  }

  async #pass(deadline: Deadline, clock: Clock): Promise<void> {
    for (let at = 0; at < this.#hosts.length; at += this.#perSecond) {
      if (deadline.expired() || deadline.signal.aborted) return;
      const startedMs = clock.nowMs();
      try {
        await this.#send(this.#hosts.slice(at, at + this.#perSecond), deadline);
      } catch {
        return; // the jump host is away: that is told by whoever reads the table
      }
      await clock.sleep(Math.max(0, SECOND_MS - (clock.nowMs() - startedMs)), deadline.signal);
    }
  }
}

/** @param run null: from this machine */
export const stimulation = (cidr: string, perSecond: number, run: ScriptRunner | null): Stimulation =>
  new Passes(cidr, perSecond, run === null ? sendHere : sendBy(run));
