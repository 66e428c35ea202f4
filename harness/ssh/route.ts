/** The straight way to a guest. */
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { Route } from './login.ts';

export const DIRECT: Route = {
  connect: (host, port, signal) =>
    new Promise<Duplex>((resolve, reject) => {
      const socket = net.connect({ host, port, noDelay: true });
      const end = (): void => void socket.destroy(new Error('interrupted'));
      const settled = (): void => signal.removeEventListener('abort', end);
      signal.addEventListener('abort', end);
      socket.once('connect', () => {
        settled();
        socket.removeListener('error', reject);
        resolve(socket);
      });
      socket.once('error', reject);
      socket.once('close', settled);
      if (signal.aborted) end();
    }),
};
