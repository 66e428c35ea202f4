/** `npm run shell`: a real terminal here, its size and its changes there, exit codes, pipes, jump host, host key. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ssh2 from 'ssh2';
import t from 'tap';
import { shell } from '../../harness/commands/shell.ts';
import { faultRecord } from '../../harness/faults/faults.ts';
import { SHELL_OPTIONS } from '../../harness/options/command-options.ts';
import { Given } from '../../harness/options/given.ts';
import { plainProgress } from '../../harness/progress/open.ts';
import type { KeptReport } from '../../harness/report/command-lines.ts';
import { writeFiles } from '../../harness/reporters/files.ts';
import { makeSshKeyPair } from '../../lab/ssh-key.ts';
import { SAMPLE } from '../harness/stored/sample.ts';
import { startJump } from '../jump-host.ts';
import { ownEnvironment } from '../phase-process.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-shell-'));
t.teardown(() => rmSync(dir, { recursive: true }));
const pair = makeSshKeyPair('of the guest');
const key = join(dir, 'key');
writeFileSync(key, pair.privateKey, { mode: 0o600 });
const ENTRY = fileURLToPath(new URL('../../shell.ts', import.meta.url));
const NODE = [process.execPath, '--import', import.meta.resolve('tsx'), ENTRY];

/** What the guest saw of the person's terminal. */
const seen: string[] = [];
const host = makeSshKeyPair('host key');
const guest = new ssh2.Server({ hostKeys: [host.privateKey] }, (connection) => {
  connection.on('error', () => connection.end());
  connection.on('authentication', (context) => {
    if (context.method === 'publickey') context.accept();
    else context.reject(['publickey']);
  });
  connection.on('session', (accept) => {
    const session = accept();
    let terminal = 'none';
    session.on('pty', (acceptPty, _reject, { cols, rows, ...info }) => {
      const term = 'term' in info ? String(info.term) : '';
      terminal = `${term} ${rows}x${cols}`;
      acceptPty?.();
    });
    session.on('window-change', (acceptChange, _reject, { rows, cols }) => {
      seen.push(`changed ${rows}x${cols}`);
      acceptChange?.();
    });
    session.on('shell', (acceptShell) => {
      const channel = acceptShell();
      seen.push(`terminal ${terminal}`);
      channel.write(`terminal ${terminal}\r\n`);
      let line = '';
      channel.on('data', (piece: Buffer) => {
        const lines = (line + piece.toString('utf8')).split(/[\r\n]/);
        line = lines.pop() ?? '';
        for (const each of lines) {
          const [, word, number] = /(exit|kill|drop|error) ?(\d*)$/.exec(each) ?? [];
          if (word === 'drop') return connection.end();
          if (word === 'error') channel.stderr.write('an error of the guest\n');
          if (word === 'kill') channel.exit('TERM');
          if (word === 'exit') channel.exit(Number(number));
          if (word === 'kill' || word === 'exit') return channel.end();
        }
      });
      channel.on('end', () => {
        channel.exit(0);
        channel.end();
      });
    });
  });
});
await new Promise<void>((resolve) => guest.listen(0, '127.0.0.1', resolve));
t.teardown(() => guest.close());
const { port } = guest.address() as AddressInfo;
const parsed = ssh2.utils.parseKey(host.publicKey);
if (parsed instanceof Error) throw parsed;
const publicPart = (Array.isArray(parsed) ? parsed[0] : parsed).getPublicSSH();
const hostKey = `SHA256:${createHash('sha256').update(publicPart).digest('base64').replace(/=+$/, '')}`;

let runs = 0;
/** A workdir whose run kept the guest. */
function workdir(changes: Partial<KeptReport> = {}, jump: KeptReport['ssh']['jump'] = null): string {
  const folder = join(dir, `run-${++runs}`);
  mkdirSync(folder);
  const { kept } = SAMPLE;
  if (kept === null) throw new Error('the sample keeps a guest');
  const ssh = { ...kept.ssh, key, jump };
  const reached = { address: { host: '127.0.0.1', port }, hostKey, ssh };
  writeFiles({ ...SAMPLE, workdir: folder, kept: { ...kept, ...reached, ...changes } });
  return folder;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param onStdout told of all of it so far */
function started(
  argv: readonly string[],
  onStdout: (all: string, child: ChildProcess) => void = () => undefined,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { env: { ...ownEnvironment(), ...environment } });
  let [stdout, stderr] = ['', ''];
  child.stdin.on('error', () => undefined);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onStdout(stdout, child);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

const piped = (text: string, ...args: readonly string[]): Promise<Ended> => {
  let said = false;
  return started([...NODE, ...args], (_all, child) => {
    if (!said) child.stdin?.end(text);
    said = true;
  });
};

/** In this process, where it comes to no shell. */
async function called(...args: readonly string[]) {
  const { signal } = new AbortController();
  const told = plainProgress({ write: () => undefined });
  try {
    const given = new Given(SHELL_OPTIONS, args, {}, 'WORKDIR');
    const code = await shell.run({ given, environment: {}, print: () => undefined, told, signal });
    return { code, message: '' };
  } catch (thrown) {
    const { party, message } = faultRecord(thrown);
    return { code: party === 'caller' ? 2 : 3, message };
  }
}

t.test('in a terminal: type, size, a change of it, keys, exit code', async (t) => {
  seen.length = 0;
  const command = `tty; stty rows 33 cols 101; exec ${[...NODE, workdir()].map((word) => `'${word}'`).join(' ')}`;
  let step = 0;
  const ended = await started(
    ['script', '-qec', command, '/dev/null'],
    (all, child) => {
      const tty = /\/dev\/pts\/\d+/.exec(all)?.[0];
      if (step === 0 && tty !== undefined && all.includes('terminal vt220')) {
        step = 1;
        execFileSync('stty', ['-F', tty, 'rows', '40', 'cols', '120']);
        const looking = setInterval(() => {
          if (!seen.includes('changed 40x120')) return;
          clearInterval(looking);
          // Ctrl-C is the guest's: it does not end the one here.
          child.stdin?.write('\u0003exit 7\r');
        }, 20);
      }
    },
    { TERM: 'vt220' },
  );
  // stty changes rows and columns one after the other.
  t.same(
    seen.filter((each) => each !== 'changed 40x101'),
    ['terminal vt220 33x101', 'changed 40x120'],
  );
  t.equal(ended.code, 7, ended.stdout);
});

t.test('without a terminal: none there, errors apart, the exit code; a signal; an end', async (t) => {
  const folder = workdir();
  const ended = await piped('error\nexit 3\n', folder);
  t.match(ended, { code: 3, stdout: /terminal none/, stderr: /an error of the guest/ });
  t.equal((await piped('kill\n', join(folder, 'metadata.txt'))).code, 143, 'TERM is 15');
  t.equal((await piped('', folder)).code, 0, 'the end of its input');
  const lost = await piped('drop\n', folder);
  t.match(lost, { code: 3, stderr: /the shell on VM 3+-\S+ ended early: .*its console: c/ });
});

t.test('through a jump host', async (t) => {
  const jump = await startJump(t, { authorizedKey: pair.publicKey });
  const through = { host: '127.0.0.1', port: jump.port, user: 'ci', key: null, hostKey: jump.hostKey };
  const ended = await piped('exit 5\n', workdir({}, through));
  t.equal(ended.code, 5, ended.stderr);
  t.same(jump.forwarded, [`127.0.0.1:${port}`]);
});

t.test('another machine at the address is refused; misuse', async (t) => {
  const rows = [
    [[workdir({ hostKey: `SHA256:${'A'.repeat(43)}` })], 3, /expected the host key SHA256:A+, given SHA256:/],
    [[workdir({ address: { host: '127.0.0.1', port: 1 } })], 3, /ssh to 127\.0\.0\.1:1: ECONNREFUSED on connecting/],
    [[workdir({ address: null })], 3, /was kept before anybody knew its address; look at its console/],
    [[workdir(), '--host-key', 'x'], 2, /--host-key: expected SHA256: and 43 characters/],
    [[], 2, /WORKDIR: expected one, given nothing/],
  ] as const;
  for (const [args, code, says] of rows) {
    const refused = await called(...args);
    t.match([refused.code, refused.message], [code, says]);
  }
  const folder = join(dir, 'gone');
  mkdirSync(folder);
  writeFiles({ ...SAMPLE, workdir: folder, kept: null });
  const none = await called(folder);
  t.match([none.code, none.message], [2, /expected a run with a machine that was kept \(--keep, --stop-at\), given/]);
});
