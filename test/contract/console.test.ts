/** Recorded: consoles over WebSocket. */
import t from 'tap';
import WebSocket from 'ws';
import { testEndpoint } from './open-endpoint.ts';
import { everywhere } from './place.ts';
import { masked, outcome, recorded } from './recorded.ts';

/** The first message, in the recording's form. */
function firstMessage(url: string, protocols: readonly string[], cookie: string | undefined): Promise<unknown> {
  const socket = new WebSocket(url, [...protocols], { headers: cookie === undefined ? {} : { cookie } });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('message', (bytes: Buffer, isBinary) => {
      socket.close();
      if (isBinary) resolve({ first: bytes.toString().trim(), protocol: socket.protocol });
      else reject(new Error('a text message'));
    });
  });
}

everywhere('consoles', async (t, { url, token, xo, makeVm, until }) => {
  const { vm } = await makeVm('runs');
  const { vm: halted } = await makeVm('halted');
  await xo.call('vm.start', { id: vm });
  await until({ id: vm }, ([object]) => object?.power_state === 'Running');
  const base = `${url.replace('http', 'ws')}/api/consoles`;
  const cookie = `token=${token}`;
  const trials: readonly (readonly [string, string, readonly string[], string | undefined])[] = [
    ['cookie token=…', vm, ['binary'], cookie],
    ['without a subprotocol', vm, [], cookie],
    ['cookie authenticationToken=… (the REST one)', vm, ['binary'], `authenticationToken=${token}`],
    ['no cookie', vm, ['binary'], undefined],
    ['wrong token', vm, ['binary'], 'token=x'],
    ['unknown VM', '00000000-0000-0000-0000-000000000000', ['binary'], cookie],
    ['halted VM', halted, ['binary'], cookie],
  ];
  for (const [name, id, protocols, given] of trials) {
    const seen = await outcome(firstMessage(`${base}/${id}`, protocols, given));
    t.strictSame(masked(seen), recorded('console', name), name);
  }
});

t.test('a console ends with its VM, and carries bytes both ways', async (t) => {
  const { url, token, xo, makeVm, backend } = await testEndpoint(t);
  const { vm } = await makeVm();
  await xo.call('vm.start', { id: vm });
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/consoles/${vm}`, ['binary'], {
    headers: { cookie: `token=${token}` },
  });
  await new Promise((resolve) => socket.once('message', resolve));
  const echoed = new Promise<Buffer>((resolve) => socket.once('message', resolve));
  socket.send(Buffer.from([1, 2, 255]));
  t.ok((await echoed).equals(Buffer.from([1, 2, 255])));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  backend.started[0]?.powerOff();
  await closed;
});
