/** The endpoint on its port: HTTP and WebSockets by path, as Xen Orchestra divides them. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { consoleSocketPath, isConsolePath, proxyConsole } from './console.ts';
import { handleEmbedded, isEmbeddedPath } from './embedded-api.ts';
import { replyRedirect } from './http-reply.ts';
import { handleRest, isRestPath } from './rest.ts';
import { RpcSession } from './rpc.ts';
import type { World } from './world.ts';

/** Exactly this path: any other upgrade hangs, neither accepted nor refused. */
const API_PATH = '/api/';

export interface Server {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** See `World.restart`. */
  restart(seconds: number): void;
  close(): Promise<void>;
}

/** From its own start until Xen Orchestra has the objects of its pool again. */
const POOL_AFTER_RESTART_MS = 500;

/** Not by resolving: `//api/` is a path here, not a host. */
const urlOf = (request: IncomingMessage) => new URL(`http://localhost${request.url ?? '/'}`);

async function answer(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = urlOf(request);
  const oneTime = world.paths.take(url.pathname);
  if (oneTime) await oneTime(request, response);
  else if (isRestPath(url.pathname) && !world.mishaps.has('no-rest')) await handleRest(world, request, response, url);
  else if (isEmbeddedPath(url.pathname)) await handleEmbedded(world, request, response, url);
  else replyRedirect(response);
}

/** JSON-RPC on an open WebSocket, with the notifications once it is signed in. */
function serveApi(world: World, webSocket: WebSocket, sessions: Map<WebSocket, RpcSession>): void {
  const session = new RpcSession(world, {
    send: (message) => webSocket.send(JSON.stringify(message)),
    cut: () => webSocket.terminate(),
  });
  sessions.set(webSocket, session);
  webSocket.on('message', (bytes: Buffer) => void session.receive(bytes.toString()));
  webSocket.on('close', () => sessions.delete(webSocket));
  webSocket.on('error', (error) => world.log(`connection: ${error.message}`));
}

/** Listens on a free port of 127.0.0.1. */
export async function startServer(world: World): Promise<Server> {
  const sessions = new Map<WebSocket, RpcSession>();
  const upgraded = new Set<Duplex>();
  const webSockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('binary') ? 'binary' : false),
  });
  const http = createServer((request, response) => {
    const offsetMs = Number(world.mishaps.get('clock-offset') ?? 0) * 1000;
    response.setHeader('date', new Date(Date.now() + offsetMs).toUTCString());
    answer(world, request, response).catch((error: unknown) => {
      world.log(`${request.method} ${request.url}: ${error instanceof Error ? error.stack : String(error)}`);
      response.destroy();
    });
  });
  // An upload may take as long as it takes.
  http.requestTimeout = 0;
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.on('close', () => upgraded.delete(socket));
    socket.on('error', (error) => world.log(`connection: ${error.message}`));
    const pathname = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (pathname === API_PATH) {
      webSockets.handleUpgrade(request, socket, head, (open) => serveApi(world, open, sessions));
    } else if (isConsolePath(pathname)) {
      const socketPath = consoleSocketPath(world, request, pathname);
      if (socketPath === null) socket.destroy();
      else webSockets.handleUpgrade(request, socket, head, (open) => proxyConsole(world, open, socketPath));
    } else {
      world.log(`UPGRADE OF ${pathname}: hangs, as in Xen Orchestra; the API is at exactly ${API_PATH}`);
    }
  });
  world.view.onNotification((params) => {
    const text = JSON.stringify({ jsonrpc: '2.0', method: 'all', params });
    for (const [webSocket, session] of sessions) if (session.isSignedIn) webSocket.send(text);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      http.once('error', reject);
      http.listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const { port } = http.address() as AddressInfo;
  let comeBack: NodeJS.Timeout | undefined;
  const cutAll = (): void => {
    for (const socket of upgraded) socket.destroy();
    http.closeAllConnections();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    restart(seconds) {
      world.log(`Xen Orchestra restarts: back in ${seconds} s`);
      world.paths.forget();
      world.view.hideFor(seconds * 1000 + POOL_AFTER_RESTART_MS);
      http.close();
      cutAll();
      comeBack = setTimeout(() => {
        listen(port).catch((error: unknown) => world.log(`restart: ${String(error)}`));
      }, seconds * 1000);
    },
    async close() {
      clearTimeout(comeBack);
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      cutAll();
      await closed;
    },
  };
}
