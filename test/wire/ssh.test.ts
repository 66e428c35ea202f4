/** How labs let one in, through a whole invocation: other users, passphrase, agent, jump host. Guests are simulated. */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import t from 'tap';
import { makeSshKeyPair } from '../../lab/ssh-key.ts';
import { startJump } from '../jump-host.ts';
import { inLanes } from '../lanes.ts';
import { type Backstage, type Play, type Played, witness } from './witness.ts';

const LANES = 6;
const dir = mkdtempSync(join(tmpdir(), 'bw-ssh-'));
t.teardown(() => rmSync(dir, { recursive: true }));

interface Row extends Play {
  readonly name: string;
  readonly code: number;
  readonly fault: string;
  readonly says: RegExp;
}

/** Path of the key that the lab file names. */
function labKey({ lab }: Backstage): string {
  const named = /^key = "(.*)"$/m.exec(readFileSync(lab.labFile, 'utf8'))?.[1] ?? '';
  return resolve(dirname(lab.labFile), named);
}

const publicOf = (key: string): string => execFileSync('ssh-keygen', ['-y', '-f', key], { encoding: 'utf8' });

async function agentWith(key: string): Promise<string> {
  const socket = join(dir, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  t.teardown(() => agent.kill());
  while (!existsSync(socket)) await new Promise((wake) => setTimeout(wake, 10));
  execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  return socket;
}

const through = (port: number): readonly string[] => ['--ssh-jump-host', '127.0.0.1', '--ssh-jump-port', String(port)];
const withoutKey = (text: string): string => text.replace(/^key = .*$/m, '');
const PASS = { code: 0, fault: 'none', says: /every check held/ } as const;
const operator = (become: string | null): unknown => ({ guests: [{ boot: { user: 'operator', become } }] });
const asOperator = (become: string): readonly string[] => ['--ssh-user', 'operator', '--ssh-become', become];

const ROWS: readonly Row[] = [
  { name: 'another user, root by doas', answers: operator('doas'), args: asOperator('doas'), ...PASS },
  { name: 'another user, root by su', answers: operator('su'), args: asOperator('su'), ...PASS },
  {
    name: 'doas lets nobody',
    answers: operator('su'),
    args: asOperator('doas'),
    ...{ code: 3, fault: 'SSH_COMMAND_FAILED', says: /user operator, root by doas.*doas: Operation not permitted/ },
  },
  {
    name: 'a key with a passphrase',
    before: async (backstage) => {
      const key = join(dir, 'locked');
      copyFileSync(labKey(backstage), key);
      execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-f', key]);
      writeFileSync(join(dir, 'passphrase'), 'open sesame\n');
      return ['--ssh-key', key, '--ssh-passphrase-file', join(dir, 'passphrase')];
    },
    ...PASS,
  },
  {
    name: 'an agent and no key file',
    labFile: withoutKey,
    before: async (backstage) => ['--ssh-agent', await agentWith(labKey(backstage))],
    ...PASS,
  },
  {
    name: 'through a jump host',
    before: async (backstage) => {
      const jump = await startJump(t, { authorizedKey: publicOf(labKey(backstage)) });
      return [...through(jump.port), '--ssh-jump-host-key', jump.hostKey];
    },
    ...PASS,
  },
  {
    name: 'a jump host that is not there: nothing is made',
    args: through(1),
    ...{ code: 3, fault: 'JUMP_UNREACHABLE', says: /jump host 127\.0\.0\.1:1: ECONNREFUSED/ },
  },
  {
    name: 'a jump host with another key',
    before: async (backstage) => {
      const jump = await startJump(t, { authorizedKey: publicOf(labKey(backstage)) });
      return [...through(jump.port), '--ssh-jump-host-key', `SHA256:${'A'.repeat(43)}`];
    },
    ...{ code: 3, fault: 'JUMP_HOST_KEY', says: /expected the host key SHA256:A/ },
  },
  {
    name: 'a jump host that lets us not in',
    before: async () => {
      const { port } = await startJump(t, { authorizedKey: makeSshKeyPair('somebody else').publicKey });
      return through(port);
    },
    ...{ code: 3, fault: 'JUMP_KEY_REFUSED', says: /key refused for user root/ },
  },
  {
    name: 'a jump host that forwards nothing',
    before: async (backstage) => {
      const { port } = await startJump(t, { authorizedKey: publicOf(labKey(backstage)), forwards: false });
      return through(port);
    },
    ...{ code: 3, fault: 'JUMP_FORBIDS_FORWARD', says: /does not forward to 127\./ },
  },
];

const outcomes = inLanes<Row, Played>(LANES, ROWS, (row) =>
  witness({ ...row, args: ['--budget-scale', '0.3', ...(row.args ?? [])] }),
);
for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const played = await outcomes.get(row);
    if (played === undefined) throw new Error('not run');
    t.equal(played.metadata.get('fault'), row.fault, played.stderr);
    t.equal(played.code, row.code);
    t.match(played.metadata.get('reason'), row.says);
    t.same(played.left, [], 'nothing is left in the pool');
    if (/JUMP_(KEY|HOST|UNREACHABLE)/.test(row.fault)) t.notMatch(played.stderr, /provision/, 'nothing was made');
    t.notMatch(played.stdout + played.stderr, /open sesame/);
  });
}
