/**
 * The operator's VM and disk: overwritten, booted, left as configured, and nothing else different. Guests are
 * simulated.
 */
import t from 'tap';
import { inLanes } from '../lanes.ts';
import { fixedOptions, IMAGE_BYTES, MIB, makeVm, shown, within } from './operators-vm.ts';
import { type Backstage, type Play, type Played, witness } from './witness.ts';

const LANES = 6;

interface Row extends Play {
  readonly name: string;
  readonly result: string;
  readonly fault?: string;
  readonly says?: RegExp;
  readonly stoppedBy?: string;
  /** Must not stand in the evidence. */
  readonly never?: RegExp;
}

/** Everything but the closure is as it should be. */
const FAILING = { guests: [{ closure: '/frx/store/fffffffffffffffffffffffffffffff0-another-system' }] };
const STRANGER = {
  guests: [{ answers: { 'guest-identity': { facts: { 'uuid.dmi': '11111111-2222-3333-4444-555555555555' } } } }],
};
const MUTE = { guests: [{ answers: { 'shepherd-status': { cut: 40 } } }] };
const CODES: Readonly<Record<string, number>> = { PASS: 0, FAIL: 1, ERROR: 3 };
const SILENT = { guests: [{ boot: { sshd: 'never' } }] };

/** The VM's tags and power state as they are to be afterwards. */
const leftAs =
  (powerState: string) =>
  async ({ other }: Backstage): Promise<void> => {
    const session = await other();
    const vm = (): ReturnType<typeof session.objects.all<'VM'>>[number] | undefined =>
      session.objects.all('VM').find(({ name }) => name === "the operator's");
    await shown(session, () => vm()?.powerState === powerState && vm()?.tags.join() === 'precious');
  };

const ROWS: readonly Row[] = [
  {
    name: 'halted before, halted after: powered off over SSH, since XO cannot',
    before: async (backstage) => fixedOptions(await makeVm(backstage)),
    after: leftAs('Halted'),
    result: 'PASS',
    stoppedBy: 'ssh',
  },
  {
    name: 'XO says so with code 10',
    before: async (backstage) => fixedOptions(await makeVm(backstage)),
    mishaps: ['no-clean-shutdown=10'],
    after: leftAs('Halted'),
    result: 'PASS',
    stoppedBy: 'ssh',
  },
  {
    name: 'running before, running after',
    before: async (backstage) => {
      const made = await makeVm(backstage);
      await (await backstage.other()).call('vm.start', { id: made.vm }, within());
      return [...fixedOptions(made), '--leave', 'running'];
    },
    after: leftAs('Running'),
    result: 'PASS',
    stoppedBy: 'none',
  },
  ...(
    [
      ['FAIL', 'CHECKS_FAILED', FAILING],
      ['ERROR', 'PROBE_UNOBSERVED', MUTE],
      ['ERROR', 'WRONG_GUEST', STRANGER],
    ] as const
  ).flatMap(([result, fault, answers]) =>
    (['halted', 'running'] as const).map(
      (leave): Row => ({
        ...{ name: `${fault}: left ${leave}`, result, fault, answers },
        before: async (backstage) => [...fixedOptions(await makeVm(backstage)), '--leave', leave],
        after: leftAs(leave === 'halted' ? 'Halted' : 'Running'),
        // Another machine's connection is no way to power anything off; nor is one off that is to run on.
        ...(fault === 'WRONG_GUEST' || leave === 'running' ? { never: /"power-off"/ } : { stoppedBy: 'ssh' }),
      }),
    ),
  ),
  {
    name: 'a power state that is stuck is waited out',
    before: async (backstage) => {
      const made = await makeVm(backstage);
      await (await backstage.other()).call('vm.start', { id: made.vm }, within());
      return fixedOptions(made);
    },
    mishaps: ['stuck-power-state=2'],
    after: leftAs('Halted'),
    result: 'PASS',
  },
  {
    name: 'a larger disk is refused before anything is written',
    before: async (backstage) => fixedOptions(await makeVm(backstage, 12 * MIB)),
    result: 'misuse',
    says: /expected an image of the size of fixed.vdi, which has 12582912 bytes; --pad makes it so large/,
  },
  {
    name: 'a blocked start is told before anything is written',
    before: async (backstage) => fixedOptions(await makeVm(backstage)),
    mishaps: ['blocked-operation=start'],
    result: 'misuse',
    says: /expected no blocked operation, given start/,
  },
  {
    name: 'with --pad it is taken',
    before: async (backstage) => [...fixedOptions(await makeVm(backstage, 12 * MIB)), '--pad'],
    after: leftAs('Halted'),
    result: 'PASS',
  },
  {
    name: 'a smaller one never is',
    before: async (backstage) => fixedOptions(await makeVm(backstage, 4 * MIB)),
    result: 'misuse',
    says: /expected it to fit on fixed.vdi, which has 4194304 bytes/,
  },
  {
    name: 'silence has no control where the operator allows none',
    before: async (backstage) => fixedOptions(await makeVm(backstage)),
    answers: SILENT,
    after: leftAs('Halted'),
    result: 'ERROR',
    fault: 'SILENT_NO_CONTROL',
  },
  {
    name: 'silence with a control that is allowed',
    before: async (backstage) => [...fixedOptions(await makeVm(backstage)), '--fixed-control'],
    answers: SILENT,
    after: leftAs('Halted'),
    result: 'ERROR',
    fault: 'CONTROL_SILENT',
  },
  {
    name: 'an SR that keeps old blocks is found out',
    before: async (backstage) => {
      const made = await makeVm(backstage);
      const { url, token } = backstage.lab;
      const headers = { cookie: `authenticationToken=${token}`, 'content-type': 'application/octet-stream' };
      const body = Buffer.alloc(IMAGE_BYTES, 'old');
      await fetch(`${url}/rest/v0/vdis/${made.vdi}.raw`, { method: 'PUT', headers, body });
      return fixedOptions(made);
    },
    mishaps: ['keep-old-blocks'],
    after: leftAs('Halted'),
    result: 'ERROR',
    fault: 'READ_BACK_DIFFERS',
  },
  {
    name: 'a setting that somebody changed meanwhile is told',
    before: async (backstage) => fixedOptions(await makeVm(backstage)),
    onStage: (stage, backstage) => void (stage === 'probe' && rename(backstage)),
    result: 'PASS',
    says: /every check held/,
    fault: 'none',
  },
];

async function rename({ other }: Backstage): Promise<void> {
  const session = await other();
  const vm = session.objects.all('VM').find(({ name }) => name === "the operator's");
  await session.call('vm.set', { id: vm?.id, name_description: 'changed by somebody' }, within());
}

const SCALE = ['--budget-scale', '0.3'];
const outcomes = inLanes<Row, Played>(LANES, ROWS, (row) => witness({ ...row, args: SCALE }));
for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const played = await outcomes.get(row);
    if (row.result === 'misuse') {
      t.match(played?.refused?.message, row.says, 'refused before anything was touched');
      return;
    }
    if (played === undefined) throw new Error('not run');
    t.equal(played.metadata.get('result'), row.result, played.stderr);
    t.equal(played.metadata.get('fault'), row.fault ?? 'none');
    if (row.stoppedBy) t.equal(played.metadata.get('stopped_by'), row.stoppedBy);
    t.same(played.left, [], 'nothing is in the pool that was not there');
    const changed = /somebody changed/.test(row.name);
    t.equal(played.code, changed ? 3 : CODES[row.result]);
    if (row.never) t.notMatch(played.file('evidence.ndjson'), row.never);
    t.match(played.stderr, changed ? /LEFT IN THE LAB: VM .* name_description: .*changed by somebody/ : /workdir/);
    if (row.result === 'PASS') t.equal(played.metadata.get('import_path'), 'rest-put-vdi');
  });
}
