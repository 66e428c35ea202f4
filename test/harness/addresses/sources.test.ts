/** Each way to an address without guest tools: the neighbour table in both dialects, stimulation, the command. */

import { createSocket } from 'node:dgram';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { addressCommand } from '../../../harness/addresses/command.ts';
import { neighbourTable, parseNeighbours } from '../../../harness/addresses/neighbour-table.ts';
import { type Ran, runHere } from '../../../harness/addresses/run-here.ts';
import { hostsOf, stimulation } from '../../../harness/addresses/stimulation.ts';
import { Deadline } from '../../../harness/deadline.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-addresses-'));
t.teardown(() => rmSync(dir, { recursive: true }));
const PATH = `${dir}:${process.env.PATH}`;
const MAC = '02:00:00:00:aa:01';

const within = (ms: number): Deadline => Deadline.after(ms, new AbortController().signal);

function program(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

const LINUX = `192.0.2.7 dev eth0 lladdr 02:00:00:00:aa:01 REACHABLE
192.0.2.8 dev eth0 lladdr 02:00:00:00:AA:02 STALE
192.0.2.9 dev eth0  INCOMPLETE
192.0.2.10 dev eth0  FAILED
192.0.2.11 dev eth0 lladdr 02:00:00:00:aa:03 router PERMANENT
169.254.7.7 dev eth0 lladdr 02:00:00:00:aa:01 REACHABLE
fe80::1 dev eth0 lladdr 02:00:00:00:aa:01 router REACHABLE
`;
const FREEBSD = `? (192.0.2.7) at 02:00:00:00:aa:01 on em0 expires in 1190 seconds [ethernet]
host.example (192.0.2.8) at 2:0:0:0:aa:2 on em0 permanent [ethernet]
? (192.0.2.9) at (incomplete) on em0 expired [ethernet]
? (192.0.2.10) at <incomplete> on eth0
? (192.0.2.12) at 02:00:00:00:aa:04 [ether] on eth0
`;

t.test('both dialects', async (t) => {
  t.same(parseNeighbours(LINUX), [
    { address: '192.0.2.7', mac: '02:00:00:00:aa:01', fresh: true },
    { address: '192.0.2.8', mac: '02:00:00:00:aa:02', fresh: false },
    { address: '192.0.2.11', mac: '02:00:00:00:aa:03', fresh: true },
  ]);
  t.same(parseNeighbours(FREEBSD), [
    { address: '192.0.2.7', mac: '02:00:00:00:aa:01', fresh: false },
    { address: '192.0.2.8', mac: '02:00:00:00:aa:02', fresh: true },
    { address: '192.0.2.12', mac: '02:00:00:00:aa:04', fresh: false },
  ]);
  t.same(parseNeighbours('garbage\n? (no) at all\n'), []);
});

t.test('the table of this machine', async (t) => {
  program('ip', `cat <<'E'\n${LINUX}E`);
  const table = neighbourTable({ run: runHere({ PATH }), where: 'this machine', stimulation: null });
  t.same(await table.find([MAC], within(5_000)), [{ address: '192.0.2.7', sure: true }]);
  t.same(await table.find(['02:00:00:00:aa:02'], within(5_000)), [{ address: '192.0.2.8', sure: false }]);
  t.same(await table.find(['02:00:00:00:aa:ff'], within(5_000)), []);
  program('ip', 'echo "no rights" >&2; exit 4');
  await t.rejects(table.find([MAC], within(5_000)), { code: 'ADDRESS_SOURCE_FAILED', message: /exit 4: no rights/ });
  program('ip', 'sleep 30');
  await t.rejects(table.find([MAC], within(300)), { code: 'ADDRESS_SOURCE_FAILED', message: /did not end within/ });
});

t.test('arp where there is no ip', async (t) => {
  rmSync(join(dir, 'ip'), { force: true });
  let asked = '';
  const run = async (_name: string, script: string): Promise<Ran> => {
    asked = script;
    return { exit: 0, stdout: FREEBSD, stderr: '' };
  };
  const table = neighbourTable({ run, where: 'the jump host', stimulation: null });
  t.same(await table.find(['02:00:00:00:aa:02'], within(1_000)), [{ address: '192.0.2.8', sure: true }]);
  t.match(asked, /ip neigh show; else arp -an/);
  const failing = async (): Promise<Ran> => ({ exit: null, stdout: '', stderr: '' });
  const broken = neighbourTable({ run: failing, where: 'the jump host', stimulation: null });
  await t.rejects(broken.find([MAC], within(1_000)), { message: /the jump host: exit none/ });
});

t.test('hosts of a network', async (t) => {
  t.same(hostsOf('192.0.2.8/30'), ['192.0.2.9', '192.0.2.10']);
  t.same(hostsOf('192.0.2.77/32'), ['192.0.2.77']);
  t.same(hostsOf('192.0.2.77/31'), ['192.0.2.76', '192.0.2.77']);
  const large = hostsOf('10.255.240.1/20');
  t.match([large.length, large[0], large.at(-1)], [4094, '10.255.240.1', '10.255.255.254']);
});

t.test('stimulation: no faster than told, a rest between passes', async (t) => {
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  };
  const deadline = Deadline.after(600_000, new AbortController().signal, clock);
  const sent: { readonly atMs: number; readonly pings: number }[] = [];
  const run = async (_name: string, script: string): Promise<Ran> => {
    sent.push({ atMs: nowMs, pings: script.match(/^ping -c 1 192\.0\.2\.\d+ .*&$/gm)?.length ?? 0 });
    return { exit: 0, stdout: '', stderr: '' };
  };
  const passes = stimulation('192.0.2.0/24', 100, run);
  passes.start(deadline);
  passes.start(deadline);
  await passes.idle();
  t.same(
    sent.map(({ pings }) => pings),
    [100, 100, 54],
    'once to each, though asked twice',
  );
  t.same(
    sent.map(({ atMs }) => atMs),
    [0, 1_000, 2_000],
    'in three seconds',
  );
  passes.start(deadline);
  await passes.idle();
  t.equal(sent.length, 3, 'not again at once');
  nowMs += 30_000;
  passes.start(deadline);
  await passes.idle();
  t.equal(sent.length, 6);
});

t.test('stimulation from this machine', async (t) => {
  const socket = createSocket('udp4');
  const heard = new Promise<string>((resolve) => socket.once('message', (_, { address }) => resolve(address)));
  await new Promise<void>((resolve) => socket.bind(9, '127.77.0.1', resolve));
  t.teardown(() => socket.close());
  program('ip', 'exit 0');
  const passes = stimulation('127.77.0.0/30', 50, null);
  const table = neighbourTable({ run: runHere({ PATH }), where: 'this machine', stimulation: passes });
  t.same(await table.find([MAC], within(5_000)), []);
  t.match(await heard, /^127\./, 'who knows nothing yet makes the guests speak');
  await passes.idle();
});

t.test("the operator's command", async (t) => {
  const ask = (text: string, ms = 5_000) => {
    const words = [program('find-guest', text), '--pool', 'a b'];
    return addressCommand(words, { PATH }).find([MAC], within(ms));
  };
  t.same(await ask(`echo "$@" >"${dir}/given"; echo 192.0.2.7`), [{ address: '192.0.2.7', sure: true }]);
  t.equal(readFileSync(join(dir, 'given'), 'utf8'), `--pool a b ${MAC}\n`, 'no shell has read it');
  t.same(await ask(':'), [], 'nothing yet');
  await t.rejects(ask('echo nonsense'), {
    code: 'ADDRESS_SOURCE_FAILED',
    message: /expected addresses, given "nonsense"/,
  });
  await t.rejects(ask('echo no such lease >&2; exit 3'), { message: /find-guest .*: exit 3: no such lease/ });
  await t.rejects(ask('sleep 30', 300), { message: /did not end within/ });
  await t.rejects(addressCommand(['/nowhere/x'], {}).find([MAC], within(5_000)), {
    message: /cannot be started: .*ENOENT/,
  });
});
