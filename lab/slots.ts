/**
 * The places of guests on the network: MAC → loopback address. Each lab takes a block 127.A.B.* of its own at random
 * and holds it for its life, so that two labs can run at once.
 */
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

export const SLOTS_MAX = 200;
const TRIES = 20;
/** The address whose port is held to mark the block as taken; beyond all slots. */
const HOLDER = 254;

export interface Slot {
  /** Lower case. */
  readonly mac: string;
  readonly address: string;
}

export interface SlotBlock {
  readonly slots: readonly Slot[];
  /** Gives the block back. */
  release(): Promise<void>;
}

function bind(address: string, port: number): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve) => {
    server.once('error', () => resolve(null));
    server.listen({ host: address, port, exclusive: true }, () => resolve(server));
  });
}

function unbind(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** @param port where guests' SSH will be reached; @throws Error where no block is free */
export async function takeSlots(count: number, port: number): Promise<SlotBlock> {
  for (let tries = 0; tries < TRIES; tries++) {
    const [a, b] = [randomInt(16, 255), randomInt(0, 256)];
    const holder = await bind(`127.${a}.${b}.${HOLDER}`, port);
    const first = holder && (await bind(`127.${a}.${b}.1`, port));
    if (holder && first) {
      await unbind(first);
      holder.unref();
      const hex = (value: number) => value.toString(16).padStart(2, '0');
      const slots = Array.from({ length: count }, (_, index) => ({
        mac: `02:00:00:${hex(a)}:${hex(b)}:${hex(index + 1)}`,
        address: `127.${a}.${b}.${index + 1}`,
      }));
      return { slots, release: () => unbind(holder) };
    }
    if (holder) await unbind(holder);
  }
  throw new Error(`no block of addresses 127.A.B.* with port ${port} free was found in ${TRIES} tries`);
}
