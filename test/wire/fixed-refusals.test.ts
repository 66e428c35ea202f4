/**
 * The operator's VM and disk before a run that must leave them alone: each rule broken by itself, through a whole
 * invocation. What XO shows of the whole pool is the same before and after, tags included. Guests are simulated; a CD
 * and a PV guest, which the embedded lab has not, stand in test/harness/xcpng/fixed-place.test.ts.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Fault } from '../../harness/faults/faults.ts';
import type { Session } from '../../harness/xcpng/session.ts';
import { makeStandInImage } from '../../lab/stand-in-image.ts';
import { inLanes } from '../lanes.ts';
import { fixedOptions, MIB, makeVm, type Operators, shown, within } from './operators-vm.ts';
import { type Backstage, witness } from './witness.ts';

const LANES = 6;
const dir = mkdtempSync(join(tmpdir(), 'bw-refusals-'));
t.teardown(() => rmSync(dir, { recursive: true }));

interface Row {
  readonly name: string;
  readonly diskBytes?: number;
  /** Breaks the rule; more arguments come back. */
  readonly breaks: (session: Session, made: Operators, backstage: Backstage) => Promise<readonly string[]>;
  /** True of the objects once the breach is shown. */
  readonly seen?: (session: Session, made: Operators) => boolean;
  readonly says: RegExp;
}

const call = (session: Session, method: string, params: Record<string, unknown>): Promise<unknown> =>
  session.call(method, params, within());

async function anotherVm(session: Session): Promise<string> {
  const [template] = session.objects.all('VM-template').filter(({ name }) => name === 'Other install media');
  const params = { name_label: "somebody's", template: template?.id, VDIs: [], VIFs: [], memory: 256 * MIB };
  return String(await call(session, 'vm.create', params));
}
const otherDisk = (session: Session): Promise<unknown> => {
  const [sr] = session.objects.all('SR').filter(({ contentType }) => contentType !== 'iso');
  return call(session, 'disk.create', { name: 'second', size: MIB, sr: sr?.id });
};

/** An image without a partition table. */
function bareImage(bytes: number): string {
  const path = join(dir, `bare-${bytes}.raw`);
  writeFileSync(path, 'boots nothing');
  truncateSync(path, bytes);
  return path;
}

const NOWHERE = '11111111-2222-4333-8444-555555555555';
const ROWS: readonly Row[] = [
  {
    name: 'no such VM',
    breaks: async () => ['--fixed-vm', NOWHERE],
    says: /^fixed\.vm: .* the pool has none 11111111-/,
  },
  {
    name: 'no such disk',
    breaks: async () => ['--fixed-vdi', NOWHERE],
    says: /^fixed\.vdi: .* the pool has none 11111111-/,
  },
  {
    name: 'a second disk',
    breaks: async (session, { vm }) => {
      await call(session, 'vm.attachDisk', { vm, vdi: await otherDisk(session), position: '1' });
      return [];
    },
    seen: ({ objects }, { vm }) => objects.all('VBD').filter((vbd) => vbd.vm === vm).length === 2,
    says: /expected that disk only, disk \S+ at position 1 may boot, too/,
  },
  {
    name: 'the disk is attached to another VM, too',
    breaks: async (session, { vdi }) => {
      await call(session, 'vm.attachDisk', { vm: await anotherVm(session), vdi, position: '0' });
      return [];
    },
    seen: ({ objects }, { vdi }) => objects.all('VBD').filter((vbd) => vbd.vdi === vdi).length === 2,
    says: /expected a disk of that VM only, it is attached to \S+ too/,
  },
  {
    name: "somebody else's disk",
    breaks: async (session) => ['--fixed-vdi', String(await otherDisk(session))],
    seen: ({ objects }) => objects.all('VDI').length === 2,
    says: /expected it to be attached to VM \S+, it is attached to none/,
  },
  {
    name: 'a snapshot',
    breaks: async (session, { vm }) => {
      await call(session, 'vm.snapshot', { id: vm });
      return [];
    },
    seen: ({ objects }, { vm }) => objects.get('VM', vm)?.snapshots.length === 1,
    says: /expected a VM without snapshots, given 1/,
  },
  ...['start', 'hard_shutdown', 'clean_shutdown'].map(
    (operation): Row => ({
      name: `blocked: ${operation}`,
      breaks: async (session, { vm }) => {
        await call(session, 'vm.set', { id: vm, blockedOperations: { [operation]: 'mine' } });
        return [];
      },
      seen: ({ objects }, { vm }) => objects.get('VM', vm)?.blockedOperations.length === 1,
      says: new RegExp(`expected no blocked operation, given ${operation}$`),
    }),
  ),
  {
    name: 'boot from the network',
    breaks: async (session, { vm }) => {
      await call(session, 'vm.setBootOrder', { vm, order: 'nc' });
      return [];
    },
    seen: ({ objects }, { vm }) => objects.get('VM', vm)?.bootOrder === 'nc',
    says: /expected boot order c \(disk\) first, given "nc"/,
  },
  {
    name: 'UEFI and an image without a GPT',
    breaks: async (session, { vm }) => {
      await call(session, 'vm.set', { id: vm, hvmBootFirmware: 'uefi' });
      return ['--image', bareImage(8 * MIB), '--expect-closure', '/frx/store/0-x'];
    },
    seen: ({ objects }, { vm }) => objects.get('VM', vm)?.firmware === 'uefi',
    says: /expected a GPT, since fixed\.vm \S+ boots by UEFI/,
  },
  {
    name: 'BIOS and an image that only UEFI can start',
    breaks: async () => {
      const path = join(dir, 'uefi.raw');
      await makeStandInImage(path, {});
      const content = readFileSync(path);
      content.fill(0, 0, 440);
      writeFileSync(path, content);
      return ['--image', path, '--expect-closure', '/frx/store/0-x'];
    },
    says: /expected boot code in its first sector, since fixed\.vm \S+ boots by BIOS/,
  },
  {
    name: 'a disk that is smaller than the image',
    diskBytes: 4 * MIB,
    breaks: async () => [],
    says: /expected it to fit on fixed\.vdi, which has 4194304 bytes/,
  },
  {
    name: 'a smaller one, with --pad',
    diskBytes: 4 * MIB,
    breaks: async () => ['--pad'],
    says: /expected it to fit on fixed\.vdi, which has 4194304 bytes/,
  },
  {
    name: 'a larger one',
    diskBytes: 12 * MIB,
    breaks: async () => [],
    says: /which has 12582912 bytes; --pad makes it so large/,
  },
  {
    name: 'a larger one, with --pad and an image without a GPT',
    diskBytes: 12 * MIB,
    breaks: async () => ['--pad', '--image', bareImage(8 * MIB), '--expect-closure', '/frx/store/0-x'],
    says: /expected an image with a GPT, since --pad moves its backup/,
  },
];

/** XO takes its marks of an import away a moment after it; what a store uses is known once it has written it out. */
const MOVES = /^xo:import:|^(physical_)?usage$/;

/** All of the pool as XO shows it, object by object, and the digest of what is on the disk. */
async function whole(session: Session, { vdi }: Operators, { lab }: Backstage): Promise<ReadonlyMap<string, string>> {
  const objects = (await call(session, 'xo.getAllObjects', {})) as Record<string, unknown>;
  const headers = { cookie: `authenticationToken=${lab.token}`, 'accept-encoding': 'identity' };
  const disk = await fetch(`${lab.url}/rest/v0/vdis/${vdi}.raw`, { headers });
  const sha256 = createHash('sha256')
    .update(Buffer.from(await disk.arrayBuffer()))
    .digest('hex');
  const text = (raw: unknown): string => JSON.stringify(raw, (key, of) => (MOVES.test(key) ? undefined : of));
  return new Map([...Object.entries(objects).map(([id, raw]) => [id, text(raw)] as const), ['disk', sha256]]);
}

/** What is not in the other: `before` and `after` differ in it. */
const beyond = (one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): readonly string[] =>
  [...one].flatMap(([id, text]) => (other.get(id) === text ? [] : [`${id} ${text}`]));

interface Outcome {
  readonly refused: Fault | null;
  readonly before: ReadonlyMap<string, string>;
  readonly after: ReadonlyMap<string, string>;
}

const outcomes = inLanes<Row, Outcome>(LANES, ROWS, async ({ breaks, seen, diskBytes }) => {
  let before: Outcome['before'] = new Map();
  let after: Outcome['after'] = new Map();
  let made: Operators | null = null;
  const played = witness({
    before: async (backstage) => {
      const session = await backstage.other();
      made = await makeVm(backstage, diskBytes);
      const more = await breaks(session, made, backstage);
      if (seen) await shown(session, () => made !== null && seen(session, made));
      before = await whole(session, made, backstage);
      const own = fixedOptions(made);
      // A row may name another VM or disk.
      return [...own.filter((_, at) => !more.includes(own[at - (at % 2)] ?? '')), ...more];
    },
    after: async (backstage) => {
      if (made !== null) after = await whole(await backstage.other(), made, backstage);
    },
  });
  const { refused } = await played;
  return { refused, before, after };
});
for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const { refused, before, after } = (await outcomes.get(row)) as Outcome;
    if (refused === null) throw new Error('it was not refused');
    t.equal(refused.code, 'BAD_FIXED_VM', refused.message);
    t.equal(refused.party, 'caller', 'exit code 2');
    t.match(refused.message, row.says);
    t.ok(before.size > 10, 'the pool was looked at');
    t.same([beyond(before, after), beyond(after, before)], [[], []], 'nothing was touched');
  });
}
