/**
 * Where a guest is put, through the whole harness: each refusal comes before anything is made, and what was placed
 * where is in the report. Guests are simulated here, and the pool's figures are the lab's.
 */
import t from 'tap';
import { inLanes } from '../lanes.ts';
import { type Play, type Played, witness } from './witness.ts';

interface Row extends Play {
  readonly name: string;
  readonly ends: 'PASS' | 'refused' | 'lab';
  readonly code?: string;
  /** What stderr must say. */
  readonly says?: RegExp;
  /** Nothing may have been asked for: the journal announces it before the call. */
  readonly untouched?: true;
  /** Metadata, as it must be. */
  readonly shows?: Readonly<Record<string, string | RegExp>>;
}

const ROWS: readonly Row[] = [
  {
    name: 'an SR without room',
    mishaps: ['sr-size=3'],
    ...{ ends: 'lab', code: 'SR_FULL', untouched: true },
    says: /SR "Embedded local storage" \([0-9a-f-]+; file, thin\): 3 MiB free of 3 MiB, needed \d+ MiB/,
  },
  {
    name: 'an SR that reserves the whole size',
    mishaps: ['sr-size=12', 'sr-thick'],
    ...{ ends: 'lab', code: 'SR_FULL', untouched: true },
    says: /lvm, thick\): 12 MiB free of 12 MiB, needed \d+ MiB \(the whole size of the image/,
  },
  {
    name: 'an SR with little room is only a warning',
    mishaps: ['sr-size=12'],
    ends: 'PASS',
    says: /warning: SR "Embedded local storage" .*12 MiB free of 12 MiB; the disk takes up to \d+ MiB/,
  },
  {
    name: 'stale figures of an SR: the truth comes later',
    mishaps: ['sr-full'],
    ...{ ends: 'lab', code: 'UPLOAD_REFUSED' },
    says: /SR_BACKEND_FAILURE_44/,
  },
  { name: 'an SR in maintenance', mishaps: ['sr-maintenance'], ends: 'lab', code: 'SR_UNUSABLE', untouched: true },
  {
    name: 'an SR that no host has plugged',
    mishaps: ['sr-detached'],
    ...{ ends: 'lab', code: 'SR_UNUSABLE', untouched: true },
    says: /detached from every host: none of its 1 PBDs is plugged/,
  },
  {
    name: 'no host has the memory',
    mishaps: ['host-free=300'],
    ...{ ends: 'lab', code: 'NO_HOST_AVAILABLE', untouched: true },
    says: /the guest is to have 512 MiB, and the only host .*"embedded-host" .*: 300 MiB free of 256\.0 GiB/,
  },
  {
    name: 'the host that was chosen is in maintenance',
    mishaps: ['second-host=shared', 'host-disabled'],
    args: ['--host', 'embedded-host'],
    ...{ ends: 'lab', code: 'HOST_UNUSABLE', untouched: true },
    says: /"embedded-host" \([0-9a-f-]+\): it is disabled, as in maintenance mode/,
  },
  {
    name: 'a host in maintenance is passed by',
    mishaps: ['second-host=shared', 'host-disabled'],
    ends: 'PASS',
    shows: { host: /^embedded-host-2 \(/, host_ordered: 'false' },
  },
  {
    name: 'a host and everything else by name',
    mishaps: ['second-host=shared'],
    args: [
      ...['--host', 'embedded-host-2', '--sr', 'Embedded local storage', '--cpus', '3', '--memory-mib', '700'],
      ...['--network', 'Pool-wide network associated with eth0', '--template', 'Embedded custom template'],
      ...['--firmware', 'uefi', '--nic', 'e1000'],
    ],
    ends: 'PASS',
    shows: {
      ...{ host: /^embedded-host-2 \(/, host_ordered: 'true', firmware: 'uefi' },
      ...{ template: /^Embedded custom template \(/, sr: /^Embedded local storage \(/, network: /^Pool-wide network/ },
    },
  },
  {
    name: 'the pool puts it elsewhere',
    mishaps: ['second-host=shared', 'placed-elsewhere'],
    args: ['--host', 'embedded-host'],
    ...{ ends: 'lab', code: 'WRONG_HOST' },
    says: /was ordered on host "embedded-host" and runs on "embedded-host-2"/,
  },
  {
    name: 'the local SR of another host',
    mishaps: ['second-host=local'],
    args: ['--host', 'embedded-host-2'],
    ends: 'refused',
    says: /host "embedded-host-2" \([0-9a-f-]+\): it does not see the SR "Embedded local storage"/,
  },
  {
    name: 'an SR whose name each host has',
    mishaps: ['second-host=local'],
    args: ['--sr', 'Embedded local storage'],
    ends: 'refused',
    says: /expected exactly one SR for disks named "Embedded local storage", found 2; there is: ".*" \([0-9a-f-]+\), "/,
  },
  {
    name: 'a host that is not there',
    args: ['--host', 'nobody'],
    ends: 'refused',
    says: /expected exactly one host of the pool "Embedded lab" named "nobody", found 0; there is: "embedded-host"/,
  },
  {
    name: 'a template for more memory',
    args: ['--memory-mib', '64'],
    ends: 'refused',
    says: /needs 128 MiB of memory, memory_mib gives 64/,
  },
  {
    name: 'no template named, and none of the usual name',
    mishaps: ['no-default-template'],
    args: ['--template', 'none'],
    ends: 'PASS',
    shows: { template: /^Embedded default template \(/, firmware: 'bios' },
  },
  {
    name: 'firmware of the template, where none is ordered',
    args: ['--template', 'Embedded custom template'],
    labFile: (text) => text.replace(/^firmware = .*\n/m, ''),
    ends: 'PASS',
    shows: { firmware: 'uefi', host_ordered: 'false', host: /^embedded-host \(/ },
  },
];

const EXIT = { PASS: 0, refused: 2, lab: 3 } as const;
const outcomes = inLanes(4, ROWS, (row): Promise<Played> => witness(row));
for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const played = await outcomes.get(row);
    if (played === undefined) throw new Error('not run');
    t.equal(played.code, EXIT[row.ends], played.stderr);
    if (row.says) t.match(played.stderr, row.says);
    t.same(played.left, [], 'nothing is left in the pool');
    if (row.ends === 'refused') t.match(played.stdout, /Bail out! BAD_PLACEMENT \(caller\)/);
    if (row.ends === 'lab') {
      t.equal(played.metadata.get('fault'), row.code);
      t.equal(played.metadata.get('fault_party'), 'lab');
    }
    if (row.untouched)
      t.notMatch(played.file('journal.ndjson'), /VM|VDI|slot/, 'nothing was announced, so nothing made');
    for (const [key, value] of Object.entries(row.shows ?? {})) t.match(played.metadata.get(key), value, key);
    if (row.ends === 'PASS') {
      const { result } = JSON.parse(played.file('result.json'));
      t.match(result.placed, {
        pool: { name: 'Embedded lab' },
        host: { uuid: /^[0-9a-f-]{36}$/ },
        sr: { name: /storage/ },
      });
    }
  });
}
