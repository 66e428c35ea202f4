/** How a guest is found without a slot, through a whole invocation; and what it comes to where nobody agrees. */

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import t from 'tap';
import { startJump } from '../jump-host.ts';
import { inLanes } from '../lanes.ts';
import { fixedOptions, makeVm } from './operators-vm.ts';
import { type Backstage, type Play, type Played, witness } from './witness.ts';

const LANES = 6;
const root = mkdtempSync(join(tmpdir(), 'bw-wire-addresses-'));
t.teardown(() => rmSync(root, { recursive: true }));

interface Row extends Play {
  readonly name: string;
  readonly fault?: string;
  readonly source?: string;
  readonly others?: RegExp;
  readonly says?: RegExp;
}

/** MAC and address of each slot of the lab. */
function slots({ lab }: Backstage): readonly { readonly mac: string; readonly address: string }[] {
  const text = readFileSync(lab.labFile, 'utf8');
  return [...text.matchAll(/mac = "(.*)"\s+address = "(.*)"/g)].map(([, mac = '', address = '']) => ({ mac, address }));
}

/** The lab file without its slots: the address must come from elsewhere. */
const withoutSlots = (text: string): string => text.replace(/^\[\[slots\]\]\n(?:\w.*\n)+/gm, '');

let programs = 0;
function program(text: string): string {
  const path = join(root, `program-${++programs}`);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** What an operator's script does: looks the MAC up in what the DHCP server knows. */
async function lookUp(backstage: Backstage): Promise<readonly string[]> {
  const leases = join(root, `leases-${++programs}`);
  writeFileSync(
    leases,
    slots(backstage)
      .map(({ mac, address }) => `${mac} ${address}\n`)
      .join(''),
  );
  return ['--address-command', program(`sed -n "s/^$1 //p" ${leases}`)];
}
const says = (text: string) => async (): Promise<readonly string[]> => ['--address-command', program(text)];

async function jumpWithTable(backstage: Backstage): Promise<readonly string[]> {
  const bin = mkdtempSync(join(root, 'bin-'));
  const lines = slots(backstage).map(({ mac, address }) => `echo "${address} dev eth0 lladdr ${mac} REACHABLE"\n`);
  writeFileSync(join(bin, 'ip'), `#!/bin/sh\n${lines.join('')}`, { mode: 0o755 });
  const key = /^key = "(.*)"$/m.exec(readFileSync(backstage.lab.labFile, 'utf8'))?.[1] ?? '';
  const file = resolve(dirname(backstage.lab.labFile), key);
  const authorizedKey = execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' });
  const { port } = await startJump(t, { authorizedKey, path: bin });
  return ['--ssh-jump-host', '127.0.0.1', '--ssh-jump-port', String(port), '--neighbours', 'jump'];
}

/** The operator's VM, whose address no slot names. */
const theirs = (more: (backstage: Backstage) => Promise<readonly string[]>): Play => ({
  labFile: withoutSlots,
  before: async (backstage) => [...fixedOptions(await makeVm(backstage)), ...(await more(backstage))],
});
const nothing = async (): Promise<readonly string[]> => [];

const ROWS: readonly Row[] = [
  { name: 'the slot alone', source: 'slot', others: /^none$/ },
  { name: 'guest metrics agree with the slot', mishaps: ['guest-metrics=own'], others: /^(slot|guest-metrics)=127\./ },
  { name: 'a command agrees with the slot', before: lookUp, source: 'slot', others: /^command=127\.\S+$/ },
  {
    name: 'a command that fails is told, and the others are believed',
    before: says('echo broken >&2; exit 3'),
    ...{ source: 'slot', others: /^command failed: .*exit 3: broken/ },
  },
  { name: 'link-local is never taken', mishaps: ['guest-metrics=169.254.9.9'], source: 'slot' },
  { name: 'no slot: guest metrics', ...theirs(nothing), mishaps: ['guest-metrics=own@1'], source: 'guest-metrics' },
  { name: 'no slot: the command', ...theirs(lookUp), source: 'command', others: /^none$/ },
  { name: 'no slot: the neighbour table of the jump host', ...theirs(jumpWithTable), source: 'neighbour-table' },
  {
    name: 'no slot: an address that changes before the guest answers',
    ...theirs(nothing),
    mishaps: ['guest-metrics=127.99.99.99,own@2'],
    ...{ source: 'guest-metrics', others: /^none$/ },
  },
  {
    name: 'no slot, and only link-local',
    ...theirs(nothing),
    mishaps: ['guest-metrics=169.254.9.9'],
    ...{
      fault: 'ADDRESS_UNKNOWN',
      says: /guest-metrics knows none; time went to firmware\+kernel\+services [\d.]+ of 10 s$/,
    },
  },
  {
    name: 'no slot, and a command that fails',
    ...theirs(says('echo broken >&2; exit 3')),
    ...{ fault: 'ADDRESS_SOURCE_FAILED', says: /command failed: .*exit 3: broken/ },
  },
  {
    name: 'guest metrics that contradict the slot',
    mishaps: ['guest-metrics=198.51.100.7'],
    answers: { guests: [{ boot: { delayMs: 1_000 } }] },
    ...{ fault: 'ADDRESS_CONFLICT', says: /guest-metrics says 198\.51\.100\.7, slot says 127\./ },
  },
  {
    name: 'a command that contradicts the slot',
    before: says('echo 198.51.100.7'),
    ...{ fault: 'ADDRESS_CONFLICT', says: /slot says 127\.\S+, command says 198\.51\.100\.7/ },
  },
];

const outcomes = inLanes<Row, Played>(LANES, ROWS, (row) =>
  witness({ ...row, args: ['--budget-scale', '0.2', ...(row.args ?? [])] }),
);
for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const played = await outcomes.get(row);
    if (played === undefined) throw new Error('not run');
    t.equal(played.metadata.get('fault'), row.fault ?? 'none', played.stderr);
    t.equal(played.code, row.fault === undefined ? 0 : 3);
    if (row.source) t.equal(played.metadata.get('guest_ip_source'), row.source);
    if (row.others) t.match(played.metadata.get('guest_ip_others'), row.others);
    if (row.says) t.match(played.metadata.get('reason'), row.says);
    t.same(played.left, []);
  });
}
