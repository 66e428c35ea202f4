/**
 * Consoles: the VNC socket of a VM as binary WebSocket messages at `/api/consoles/<id>`. The cookie is `token`, not the
 * one of REST; every refusal is the socket closed without an answer.
 */
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { WebSocket } from 'ws';
import { cookieOf } from './authentication.ts';
import type { World } from './world.ts';

const PATH = /^\/api\/consoles\/([^/]+)$/;

export function isConsolePath(path: string): boolean {
  return PATH.test(path);
}

/** The VNC socket that this request may see; null: refuse it. */
export function consoleSocketPath(world: World, request: IncomingMessage, path: string): string | null {
  const token = cookieOf(request, 'token');
  const user = token === undefined ? undefined : world.accounts.byToken(token)?.user;
  if (user?.permission !== 'admin' && user?.poolAdmin !== true) return null;
  const vm = world.view.get(PATH.exec(path)?.[1] ?? '');
  return vm?.type === 'VM' ? world.machines.vncSocketPath(vm.uuid) : null;
}

/** Joins the two until either ends. */
export function proxyConsole(world: World, webSocket: WebSocket, socketPath: string): void {
  const vnc = connect(socketPath);
  vnc.on('data', (bytes) => {
    vnc.pause();
    webSocket.send(bytes, { binary: true }, () => vnc.resume());
  });
  vnc.on('close', () => webSocket.close());
  vnc.on('error', (error) => world.log(`console: ${error.message}`));
  webSocket.on('message', (bytes: Buffer) => vnc.write(bytes));
  webSocket.on('close', () => vnc.destroy());
  webSocket.on('error', (error) => world.log(`console: ${error.message}`));
}
