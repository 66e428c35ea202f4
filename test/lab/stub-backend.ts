/** A backend for tests that starts nothing: its VMs are switches, with a VNC socket that says RFB's first line. */
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Backend, BackendVm, RunningVm } from '../../lab/backend.ts';

export interface StubVm {
  readonly order: BackendVm;
  resets: number;
  /** The guest powers itself off. */
  powerOff(): void;
}

export interface StubBackend extends Backend {
  /** Those started so far, the newest last. */
  readonly started: StubVm[];
  /** Set: the next starts fail with this message. */
  refusal: string | null;
}

export function stubBackend(): StubBackend {
  const backend: StubBackend = { kind: 'simulated', accelerator: 'none', started: [], refusal: null, start };
  async function start(order: BackendVm): Promise<RunningVm> {
    if (backend.refusal !== null) throw new Error(backend.refusal);
    const vncSocketPath = join(order.dir, 'vnc');
    const sockets = new Set<Socket>();
    const vnc = createServer((socket) => {
      // Says RFB's first line, then gives back what it gets.
      socket.write('RFB 003.008\n');
      socket.pipe(socket);
      socket.on('error', () => socket.destroy());
      sockets.add(socket);
    });
    await new Promise<void>((resolve) => vnc.listen(vncSocketPath, resolve));
    let end: (seen: { seen: string }) => void = () => undefined;
    const exited = new Promise<{ seen: string }>((resolve) => {
      end = resolve;
    });
    const off = (seen: string) => {
      vnc.close();
      for (const socket of sockets) socket.destroy();
      end({ seen });
    };
    const vm: StubVm = { order, resets: 0, powerOff: () => off('the guest powered off') };
    backend.started.push(vm);
    return {
      exited,
      stop: async () => off('stopped'),
      reset: async () => {
        vm.resets++;
      },
      vncSocketPath,
      serialText: async () => `serial of ${order.name}\n`,
    };
  }
  return backend;
}
