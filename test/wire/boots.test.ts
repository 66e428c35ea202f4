/**
 * A case that boots its guest twice: what the second boot shows, and who is to blame where it does not come. Guests are
 * simulated: the first VM of a run is the image, the second the control, the third the image once more.
 */
import t from 'tap';
import { inLanes } from '../lanes.ts';
import { type Played, witness } from './witness.ts';

const LANES = 6;
const BASE = ['--boots', '2'];
const after = (reboot: string): unknown => ({ boot: { reboot } });
const HEALTHY = {};
const SHIM = { 'kind.1': 'symlink', 'target.1': '/frx/store/x' };

interface Row {
  readonly name: string;
  readonly guests: readonly unknown[];
  readonly args?: readonly string[];
  readonly code: number;
  readonly fault: string;
  readonly party: string;
  readonly says: RegExp;
  readonly more?: (t: Tap, played: Played) => void;
}
type Tap = Pick<typeof t, 'equal' | 'same' | 'match' | 'notMatch'>;

const ROWS: readonly Row[] = [
  {
    name: 'a second boot that never comes, though the control boots twice: the image',
    guests: [after('stays-silent'), HEALTHY, after('stays-silent')],
    ...{ code: 1, fault: 'GUEST_SILENT', party: 'image', says: /again: after a reboot: .*control image answered/ },
  },
  {
    name: 'the control does not come back either: the lab',
    guests: [after('stays-silent'), after('stays-silent')],
    ...{ code: 3, fault: 'CONTROL_SILENT', party: 'lab', says: /both silent.*after a reboot/ },
  },
  {
    name: 'it halts where it was to reboot, and so does the control: the lab',
    guests: [after('halts'), after('halts')],
    ...{ code: 3, fault: 'CONTROL_SILENT', party: 'lab', says: /powered itself off/ },
  },
  {
    name: 'a second boot that comes at the second try: undetermined',
    guests: [after('stays-silent'), HEALTHY, HEALTHY],
    ...{ code: 3, fault: 'SILENT_ONCE', party: 'undetermined', says: /answered when booted again/ },
  },
  {
    name: 'it runs on',
    guests: [after('ignores')],
    ...{ code: 3, fault: 'NOT_REBOOTED', party: 'undetermined', says: /it runs on.*time went to reboot of boot 2/ },
  },
  {
    name: 'it comes back with the boot id of before',
    guests: [after('keeps-boot-id')],
    ...{ code: 3, fault: 'NOT_REBOOTED', party: 'undetermined', says: /came back in the same boot/ },
  },
  {
    name: 'a panic on the way down or up is the image',
    guests: [after('panics')],
    ...{ code: 1, fault: 'GUEST_PANICKED', party: 'image', says: /panic: page fault/ },
  },
  {
    name: 'booted twice: PASS, each boot reported by itself',
    guests: [HEALTHY],
    ...{ code: 0, fault: 'none', party: 'none', says: /every check held/ },
    more: (t, { metadata, stdout, file }) => {
      t.match(stdout, /^ok \d+ - compat_prefix_shims$/m);
      t.match(stdout, /^ok \d+ - compat_prefix_shims@boot2$/m);
      t.equal(metadata.get('compat_prefix_shims'), 'absent');
      t.equal(metadata.get('boots'), '2');
      t.equal(new Set(metadata.get('boot_ids')?.split(', ')).size, 2, 'two boot ids');
      t.notMatch([...metadata.keys()].join(' '), '@', 'the keys are those of the seed');
      t.match(file('evidence.ndjson'), /"name":"ready-marker-removal".*"marker":"absent"/);
      const { result } = JSON.parse(file('result.json'));
      const stages = result.timeline.map(({ stage, boot }: { stage: string; boot: number }) => `${stage} ${boot}`);
      t.same(
        stages.filter((stage: string) => stage.endsWith(' 2')),
        ['reboot 2', 'firmware+kernel+services 2', 'ssh 2', 'probes 2', 'ready 2', 'probes 2'],
      );
    },
  },
  {
    name: 'shims that come back at the second boot: FAIL',
    guests: [{ answers: { 'compat-prefix-shims': { boot: 2, facts: SHIM } } }],
    ...{ code: 1, fault: 'CHECKS_FAILED', party: 'image', says: /compat_prefix_shims@boot2: expected absent/ },
    more: (t, { metadata, stdout }) => {
      t.match(stdout, /^ok \d+ - compat_prefix_shims$/m);
      t.match(stdout, /^not ok \d+ - compat_prefix_shims@boot2$/m);
      t.match(metadata.get('compat_prefix_shims'), /present/, 'judged over both');
    },
  },
  {
    name: 'what failed at the first boot is not booted again',
    guests: [{ answers: { 'compat-prefix-shims': { facts: SHIM } } }],
    ...{ code: 1, fault: 'CHECKS_FAILED', party: 'image', says: /^compat_prefix_shims: / },
    more: (t, { metadata }) => t.notMatch(metadata.get('boot_ids'), ','),
  },
  {
    name: 'a marker that stays: nothing of the second boot could be believed',
    guests: [{ answers: { 'ready-marker-removal': { facts: { marker: 'still there' } } } }],
    ...{ code: 3, fault: 'PROBE_UNOBSERVED', party: 'undetermined', says: /marker could not be removed/ },
  },
  {
    name: 'a guest that tells no boot id cannot show a second boot',
    guests: [{ answers: { 'guest-identity': { facts: { boot_id: '' } } } }],
    ...{ code: 3, fault: 'PROBE_UNOBSERVED', party: 'undetermined', says: /tells no boot id/ },
  },
  {
    name: 'an old marker does not count at the second boot',
    guests: [{ answers: { 'ready-marker': { boot: 2, facts: { kind: 'absent', content: null } } } }],
    ...{ code: 1, fault: 'CHECKS_FAILED', party: 'image', says: /ready_marker@boot2: .*awaited for 3 s/ },
  },
];

const outcomes = inLanes(LANES, ROWS, (row) =>
  witness({ answers: { guests: row.guests }, args: [...BASE, '--budget-scale', '0.1', ...(row.args ?? [])] }),
);
for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const played = await outcomes.get(row);
    if (played === undefined) throw new Error('not run');
    t.equal(played.metadata.get('fault'), row.fault, played.stderr);
    t.equal(played.metadata.get('fault_party'), row.party);
    t.equal(played.code, row.code);
    t.match(played.metadata.get('reason'), row.says);
    t.same(played.left, [], 'nothing is left in the pool');
    row.more?.(t, played);
  });
}
