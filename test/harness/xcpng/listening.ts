/** For tests: servers on a free port, and a way to an endpoint that can be cut and closed. Both end with the test. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';

/** @returns the port */
export async function listen(t: Pick<Test, 'teardown'>, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

export interface Way {
  readonly url: string;
  /** Ends what goes through now. */
  cut(): void;
  /** Ends it, and lets nothing through until `open`. */
  close(): void;
  open(): void;
}

/** A way to the endpoint that can be cut and closed. */
export async function wayThrough(t: Test, port: number): Promise<Way> {
  const through = new Set<Socket>();
  let closed = false;
  const proxy = createServer((socket) => {
    if (closed) return void socket.destroy();
    through.add(socket);
    const behind = connect(port, '127.0.0.1');
    socket.pipe(behind).pipe(socket);
    for (const end of [socket, behind]) end.on('error', () => [socket, behind].map((each) => each.destroy()));
    socket.on('close', () => behind.destroy());
  });
  const url = `http://127.0.0.1:${await listen(t, proxy)}`;
  const cut = (): void => {
    for (const socket of through) socket.destroy();
  };
  t.teardown(cut);
  return {
    ...{ url, cut },
    close: () => {
      closed = true;
      cut();
    },
    open: () => {
      closed = false;
    },
  };
}

/** A way that ends a connection instead of handing on such an answer, `times` times. @returns its URL */
export async function losingAnswers(t: Test, port: number, answer: RegExp, times: number): Promise<string> {
  let left = times;
  const proxy = createServer((socket) => {
    const behind = connect(port, '127.0.0.1');
    socket.pipe(behind);
    behind.on('data', (bytes: Buffer) => {
      if (left > 0 && answer.test(bytes.toString('latin1').split('\r\n', 1)[0] ?? '')) {
        left--;
        socket.destroy();
      } else socket.write(bytes);
    });
    behind.on('end', () => socket.end());
    behind.on('error', () => socket.destroy());
    socket.on('close', () => behind.destroy());
  });
  return `http://127.0.0.1:${await listen(t, proxy)}`;
}
