/** The QMP client against a server that answers, refuses, stalls, talks nonsense or hangs up. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Qmp, type QmpEvent } from '../../lab/qmp.ts';

type Script = (socket: Socket, command: string, id: number) => void;

const GREETING = '{"QMP": {"version": {}, "capabilities": []}}\r\n';

async function serve(t: Test, greeting: string | null, script: Script): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'bw-qmp-'));
  const path = join(dir, 'qmp');
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    if (greeting !== null) socket.write(greeting);
    socket.setEncoding('utf8').on('data', (text: string) => {
      const { execute, id } = JSON.parse(text) as { execute: string; id: number };
      if (execute === 'qmp_capabilities') socket.write(`{"return": {}, "id": ${id}}\r\n`);
      else script(socket, execute, id);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return path;
}

const ignore = (): void => undefined;

t.test('an answer, an error in QEMU’s words, and events in between, in pieces', async (t) => {
  const heard: QmpEvent[] = [];
  const path = await serve(t, GREETING, (socket, command, id) => {
    if (command === 'bad')
      socket.write(`{"error": {"class": "GenericError", "desc": "no such thing"}, "id": ${id}}\r\n`);
    else {
      socket.write('{"event": "RESET", "data": {"gue');
      socket.write(`st": true}}\r\n{"return": {"running": true}, "id": ${id}}\r\n`);
    }
  });
  const qmp = await Qmp.connect(path, 5_000, (event) => heard.push(event));
  t.same(await qmp.command('query-status', {}, 5_000), { running: true });
  t.same(heard, [{ event: 'RESET', data: { guest: true } }]);
  await t.rejects(qmp.command('bad', {}, 5_000), { message: 'QMP bad: no such thing' });
  qmp.close();
  await t.rejects(qmp.command('late', {}, 5_000), /connection to QEMU is closed/);
});

t.test('each command has its deadline', async (t) => {
  const qmp = await Qmp.connect(await serve(t, GREETING, ignore), 5_000, ignore);
  await t.rejects(qmp.command('stall', {}, 10), { message: 'QMP stall: QEMU gave no answer within 10 ms' });
  qmp.close();
});

t.test('a server that hangs up, or does not speak QMP, ends what is pending', async (t) => {
  const hangsUp = await Qmp.connect(await serve(t, GREETING, (socket) => socket.end()), 5_000, ignore);
  await t.rejects(hangsUp.command('quit', {}, 5_000), /quit: QEMU closed the connection before it answered/);
  const nonsense = await Qmp.connect(await serve(t, GREETING, (socket) => socket.write('hello\n')), 5_000, ignore);
  await t.rejects(nonsense.command('quit', {}, 5_000), /closed the connection/);
});

t.test('no greeting, and nobody there', async (t) => {
  await t.rejects(Qmp.connect(await serve(t, null, ignore), 10, ignore), /sent no greeting within 10 ms/);
  await t.rejects(Qmp.connect(join(tmpdir(), 'bw-no-such-socket'), 10, ignore), { code: 'ENOENT' });
});
