/** `--keep` and `--stop-at`: what stays, how it is told, who respects it, and what takes it away. Simulated guests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { sweep } from '../../harness/commands/sweep.ts';
import { SWEEP_OPTIONS } from '../../harness/options/command-options.ts';
import { Given } from '../../harness/options/given.ts';
import { plainProgress } from '../../harness/progress/open.ts';
import { inLanes } from '../lanes.ts';
import { fixedOptions, makeVm, runningGuest, shown } from './operators-vm.ts';
import { type Backstage, type Play, type Played, witness } from './witness.ts';

const LANES = 6;
const HOUR_MS = 3_600_000;
const dir = mkdtempSync(join(tmpdir(), 'bw-keep-'));
t.teardown(() => rmSync(dir, { recursive: true }));

/** `npm run sweep` in this process. */
async function swept({ lab }: Backstage, ...args: readonly string[]) {
  const lines: string[] = [];
  const environment = { BOOTWITNESS_CACHE_DIR: join(dir, 'cache') };
  const given = new Given(SWEEP_OPTIONS, ['--lab', lab.labFile, ...args], environment);
  const told = plainProgress({ write: () => undefined });
  const { signal } = new AbortController();
  const code = await sweep.run({ given, environment, print: (line) => lines.push(line), told, signal });
  return { code, text: lines.join('\n') };
}

interface Row extends Play {
  readonly name: string;
  readonly result: string;
  readonly fault?: string;
  readonly code: number;
  /** Stays after the run; default: a VM with its disk, and what joins them. */
  readonly leaves?: readonly string[];
  readonly says?: RegExp;
  readonly look?: (played: Played) => void;
}

const GUEST = ['VBD', 'VDI', 'VIF', 'VM'];
const SILENT = { guests: [{ boot: { sshd: 'never' } }] };
const FAILING = { guests: [{ closure: '/frx/store/fffffffffffffffffffffffffffffff0-another-system' }] };
const stopped = { result: 'ERROR', fault: 'STOPPED_AT', code: 3 } as const;

const ROWS: readonly Row[] = [
  {
    ...{ name: 'a PASS is kept, too', args: ['--keep'], result: 'PASS', code: 0 },
    says: /^KEPT: VM \S+ bootwitness phase9\S+, until \S+Z; then any sweep deletes it$/m,
  },
  { name: 'a FAIL', args: ['--keep'], answers: FAILING, result: 'FAIL', fault: 'CHECKS_FAILED', code: 1 },
  {
    ...{ name: 'a silent guest is kept instead of compared', args: ['--keep', '--budget-scale', '0.02'] },
    ...{ answers: SILENT, result: 'ERROR', fault: 'KEPT_UNDECIDED', code: 3 },
    says: /is kept, so that no control image was asked/,
  },
  {
    ...{ name: 'before it is started', args: ['--stop-at', 'firmware'], ...stopped },
    says: /stopped as --stop-at firmware says: firmware began/,
    after: async ({ other }) => {
      const session = await other();
      await shown(session, () => session.objects.all('VM').some((vm) => vm.powerState === 'Halted'));
    },
  },
  {
    ...{ name: 'at the first process', args: ['--stop-at', 'services'], ...stopped },
    says: /stopped as --stop-at services says: services (began|was over, and ssh began)/,
    after: async ({ other }) => void (await runningGuest(await other())),
  },
  {
    ...{ name: "at sshd's banner", args: ['--stop-at', 'ssh'], ...stopped },
    says: /stopped as --stop-at ssh says: ssh began \(sshd's banner\)/,
  },
  {
    ...{ name: 'nothing tells the kernel on a lab without serial console', args: ['--stop-at', 'kernel'], ...stopped },
    labFile: (text) => text.replace(/^serial_path.*$/m, ''),
    says: /stopped as --stop-at kernel says: kernel was over, and (services|ssh) began/,
  },
  {
    ...{ name: 'before the first question', args: ['--stop-at', 'probes'], ...stopped },
    look: ({ file }) => t.notMatch(file('evidence.ndjson'), /"kind":"command"/),
  },
  {
    ...{ name: 'before the marker is waited for', args: ['--stop-at', 'ready'], ...stopped },
    look: ({ file }) => t.match(file('evidence.ndjson'), /"name":"guest-identity"/),
  },
  {
    ...{ name: 'before the reboot', args: ['--stop-at', 'reboot', '--boots', '2'], ...stopped },
    look: ({ file }) => t.notMatch(file('evidence.ndjson'), /"name":"reboot"/),
  },
  {
    ...{ name: 'a stage that this run has not', args: ['--stop-at', 'reboot'], result: 'misuse', code: 2, leaves: [] },
    says: /--stop-at: expected a stage of this run, given "reboot" without --boots 2 or more/,
  },
  {
    ...{ name: 'what cannot be kept is taken back', args: ['--keep'], result: 'PASS', code: 0, leaves: [] },
    onStage: (stage, { mishaps }) => stage === 'keep' && mishaps.set('deleted-before', 'tag.add'),
    says: /the guest could not be kept: /,
  },
  {
    ...{ name: 'a lab that fails before there is a guest', args: ['--keep'], mishaps: ['sr-full'], leaves: [] },
    ...{ result: 'ERROR', fault: 'UPLOAD_REFUSED', code: 3 },
  },
  {
    ...{ name: "an operator's VM runs on, and is locked", args: ['--keep'], result: 'PASS', code: 0, leaves: [] },
    before: async (backstage) => fixedOptions(await makeVm(backstage)),
    says: /^KEPT: VM \S+ the operator's, until \S+Z; then its lock is free; it is an operator's and stays$/m,
    after: async (backstage) => {
      const session = await backstage.other();
      const vm = () => session.objects.all('VM').find(({ name }) => name === "the operator's");
      await shown(session, () => vm()?.powerState === 'Running');
      const locks = vm()?.tags.filter((tag) => tag.startsWith('bootwitness:lock=')) ?? [];
      t.equal(locks.length, 1, 'one lock');
      const [, , until = ''] = locks[0]?.split(';') ?? [];
      t.ok(Date.parse(until) - Date.now() > 1.9 * HOUR_MS, `${locks[0]}: for two hours`);
      const [, , , run = ''] = locks[0]?.split(';') ?? [];
      t.match(await swept(backstage), { code: 0, text: /^0 removed, 0 left in the lab, 1 left alone$/m });
      t.match(await swept(backstage, '--run-id', run), { code: 0, text: /^removed lock on VM / });
      await shown(session, () => vm()?.tags.join() === 'precious' && vm()?.powerState === 'Running');
    },
  },
];

const runs = inLanes(LANES, ROWS, witness);
for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const played = await runs.get(row);
    if (played === undefined) return t.fail('not played');
    t.equal(played.code, row.code, played.stderr);
    const kinds = played.left.map((each) => each.split(' ', 1)[0] ?? '').sort();
    t.same(kinds, row.leaves ?? GUEST);
    t.match(played.stderr, row.says ?? /\] sign in/);
    t.notMatch(played.stderr, /LEFT IN THE LAB/);
    if (row.result === 'misuse') return t.ok(played.refused);
    t.equal(played.metadata.get('result'), row.result, played.stderr);
    t.equal(played.metadata.get('fault'), row.fault ?? 'none');
    t.equal(played.metadata.get('leaked'), '0');
    row.look?.(played);
    const { kept } = JSON.parse(played.file('result.json'));
    if (row.leaves !== undefined && !row.name.startsWith('an operator')) {
      t.equal(kept, null);
      return t.equal(played.metadata.get('kept'), 'none');
    }
    t.match(played.metadata.get('kept'), `VM ${kept.vm} until ${kept.until}`);
    t.match(kept, {
      address: { port: 2222 },
      ssh: { user: 'root' },
      commands: { remove: /^npm run -s sweep -- --lab/ },
    });
    for (const command of Object.values(kept.commands)) t.match(played.stderr, String(command));
  });
}

t.test('who repeats runs finds the machine whose console alone showed the failure, on and as it was', async (t) => {
  const guest = {
    boot: { serial: 'panic: page fault\ncpuid = 0\n', serialAfterMs: 1_200 },
    answers: { 'sshd-status': { delayMs: 2_500 } },
  };
  const play = async (guests: readonly unknown[]) => {
    let power = '';
    const played = await witness({
      keep: 'unless-passed',
      args: ['--budget-scale', '0.5'],
      answers: { guests, counts: 'starts' },
      before: async (backstage) => fixedOptions(await makeVm(backstage)),
      after: async ({ other }) => {
        const vms = (await other()).objects.all('VM');
        power = vms.find(({ name }) => name === "the operator's")?.powerState ?? '';
      },
    });
    return { played, power };
  };
  const [failed, passed] = await Promise.all([play([guest]), play([{}])]);
  t.equal(failed.played.metadata.get('fault'), 'CONSOLE_FAULT', failed.played.stderr);
  t.match(failed.played.stderr, /^KEPT: VM /m);
  t.equal(failed.power, 'Running');
  t.equal(passed.played.code, 0, passed.played.stderr);
  t.equal(passed.played.metadata.get('kept'), 'none');
  t.equal(passed.power, 'Halted', 'and a PASS is left as ever');
});

t.test('an interrupted run keeps nothing', async (t) => {
  const played = await witness({
    args: ['--keep'],
    onStage: (stage) => stage === 'probe' && process.emit('SIGINT', 'SIGINT'),
  });
  t.equal(played.code, 130, played.stderr);
  t.same(played.left, []);
  t.equal(played.metadata.get('kept'), 'none');
});

t.test('sweeps leave what is kept, until its time; by its run id it goes at once', async (t) => {
  let told = '';
  const played = await witness({
    args: ['--keep', '--keep-hours', '3'],
    after: async (backstage) => {
      const session = await backstage.other();
      const [vm] = session.objects.all('VM').filter(({ name }) => name.startsWith('bootwitness '));
      const run = vm?.tags.find((tag) => tag.startsWith('bootwitness:run='))?.slice('bootwitness:run='.length) ?? '';
      const first = await swept(backstage);
      t.equal(first.code, 0);
      t.match(first.text, /^left alone VM \S+ .*kept until /m);
      t.match(first.text, /^0 removed, 0 left in the lab, 2 left alone$/m);
      const second = await swept(backstage, '--run-id', run);
      t.match(second, { code: 0, text: /^2 removed, 0 left in the lab, 0 left alone$/m });
      told = run;
      await shown(session, () => session.objects.all('VDI').length === 0);
    },
  });
  t.equal(played.metadata.get('run_id'), told);
  const untilMs = Date.parse(JSON.parse(played.file('result.json')).kept.until);
  t.ok(Math.abs(untilMs - Date.now() - 3 * HOUR_MS) < HOUR_MS / 6);
});
