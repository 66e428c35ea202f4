/** The console's first bytes come as early as a server can send them: together with its answer to the upgrade. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { Deadline } from '../../../harness/deadline.ts';
import { Secret } from '../../../harness/workdir/secrets.ts';
import { ConsoleSocket } from '../../../harness/xcpng/console-socket.ts';
import type { Session } from '../../../harness/xcpng/session.ts';

/** RFC 6455, 1.3. */
const ACCEPT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const GREETING = Buffer.from('RFB 003.008\n', 'latin1');

t.test('bytes in one packet with the answer to the upgrade are not lost', async (t) => {
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${ACCEPT}`).digest('base64');
    const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
    head.push(`Sec-WebSocket-Accept: ${accept}`, 'Sec-WebSocket-Protocol: binary', '', '');
    // One unmasked binary message, whole.
    socket.write(Buffer.concat([Buffer.from(head.join('\r\n')), Buffer.from([0x82, GREETING.length]), GREETING]));
    t.teardown(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const tls = { verify: false, ca: null, fingerprint: null };
  const session = { endpoint: { base: `http://127.0.0.1:${port}`, tls }, token: new Secret('t') } as unknown as Session;
  const deadline = Deadline.after(2_000, new AbortController().signal);
  const socket = await ConsoleSocket.open(session, 'ca5e0000-0000-4000-8000-000000000001', deadline);
  t.teardown(() => socket.close());
  t.same(await socket.read(GREETING.length, deadline), GREETING);
});
