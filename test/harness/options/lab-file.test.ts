import t from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import { parseLabFile } from '../../../harness/options/lab-file.ts';

const GOOD = `name = "pool1"
budget_scale = 1.5
[xo]
url = "https://xo.example.org"
token_file = "token"
[placement]
memory_mib = 1024
firmware = "uefi"
[ssh]
key = "/keys/id"
[[slots]]
mac = "02:00:00:00:AA:01"
address = "192.0.2.20"
[control]
"shepherd-pid1" = "control.raw"
[paths]
herd = "/usr/local/bin/herd"
ready_marker = "/var/lib/x"
`;

const refused = (text: string): string => {
  try {
    parseLabFile('/labs/pool1.toml', text);
  } catch (error) {
    if (error instanceof Fault && error.code === 'BAD_LAB_FILE') return error.message;
    throw error;
  }
  throw new Error('expected the lab file to be refused');
};

t.test('a lab file is read whole; files are relative to it', async (t) => {
  const file = parseLabFile('/labs/pool1.toml', GOOD);
  t.match(file, {
    name: 'pool1',
    kind: 'xo',
    budgetScale: 1.5,
    claimHours: 4,
    xo: { url: 'https://xo.example.org', tokenFile: '/labs/token', fingerprint: null, insecure: false },
    placement: { memoryMiB: 1024, cpus: 1, firmware: 'uefi' },
    fixed: null,
    ssh: { key: '/keys/id', port: 22, user: 'root', jump: null },
    addresses: { neighbours: null, command: null },
    slots: [{ mac: '02:00:00:00:aa:01', address: '192.0.2.20' }],
    control: { 'shepherd-pid1': '/labs/control.raw' },
    paths: { herd: ['/usr/local/bin/herd'], readyMarker: '/var/lib/x' },
  });
});

t.test('what is wrong is named with its line', async (t) => {
  const rows: readonly [string, RegExp][] = [
    [GOOD.replace('"https://xo.example.org"', '"https://xo.example.org'), /^\/labs\/pool1\.toml, line 4: /],
    [
      GOOD.replace('budget_scale = 1.5', 'budget_scale = "six"'),
      /line 2: budget_scale: expected a number .* given "six"/,
    ],
    [GOOD.replace('memory_mib', 'memory_mb'), /line 7: unknown key placement.memory_mb: expected one of template, /],
    [GOOD.replace('"uefi"', '"efi"'), /line 8: placement.firmware: expected bios or uefi, given "efi"/],
    [
      GOOD.replace('address = ', 'ip = "x"\naddress = '),
      /unknown key slots.ip: expected one of mac, address, given "ip"/,
    ],
    [GOOD.replace('02:00:00:00:AA:01', '02:00'), /slots.mac: expected a MAC like .* given "02:00"/],
    [GOOD.replace('memory_mib = 1024', 'memory_mib = 1024.5'), /line 7: placement.memory_mib: expected a whole number/],
    [GOOD.replace('url = ', '# url = '), /line 3: xo.url: expected the URL of Xen Orchestra, given nothing/],
    [`${GOOD}\nflavour = 3\n`, /unknown key paths.flavour/],
    [`colour = "red"\n${GOOD}`, /line 1: unknown key colour/],
    ['ssh = 3\n[xo]\nurl = "http://x"\n', /line 1: ssh: expected a table, given 3/],
    [`${GOOD}[cache]\nsr = "x"\ngib = 0\n`, /cache.gib: expected a number from 0.001 to 1048576, given 0/],
    [
      `[cache]\nsr = "x"\ngib = 1\nchain_max = 30\n[xo]\nurl = "http://x"\n`,
      /cache.chain_max: expected a number from 2/,
    ],
    [GOOD.replace('"/usr/local/bin/herd"', '7'), /paths.herd: expected a text or a list of texts, given 7/],
    [GOOD.replace('"/usr/local/bin/herd"', '"bin/herd"'), /paths.herd: expected absolute paths without a final slash/],
    [`${GOOD}\nstore = "/frx/store/"\n`, /paths.store: expected absolute paths without a final slash/],
  ];
  for (const [text, message] of rows) t.match(refused(text), message);
});

const FIXED = `${GOOD}
[fixed]
vm = "0F9A1B2C-0000-4000-8000-000000000001"
vdi = "0f9a1b2c-0000-4000-8000-000000000002"
leave = "running"
[ssh.jump]
host = "jump.example.org"
[addresses]
neighbours = "jump"
stimulate = "192.0.2.0/24"
command = ["dhcp-lease", "--by-mac"]
`;

t.test('fixed guest, jump host and addresses', async (t) => {
  const file = parseLabFile('/labs/pool1.toml', FIXED);
  t.match(file.fixed, { vm: '0f9a1b2c-0000-4000-8000-000000000001', leave: 'running', control: false, lockWaitS: 0 });
  t.match(file.ssh.jump, { host: 'jump.example.org', port: 22, user: 'root', hostKey: null });
  t.match(file.addresses, { neighbours: 'jump', stimulate: '192.0.2.0/24', command: ['dhcp-lease', '--by-mac'] });
  t.match(
    refused(FIXED.replace(/^vdi = .*$/m, '')),
    /line \d+: fixed.vdi: expected the uuid of the VDI \(or --fixed-vdi\), given nothing/,
  );
  t.match(refused(FIXED.replace(/^host = .*$/m, 'port = 2')), /ssh.jump.host: expected the name of a host/);
  t.match(refused(FIXED.replace('/24', '/8')), /addresses.stimulate: expected an IPv4 network .*\/20 at most/);
});

t.test('what the caller gives wins over the file, and is checked alike', async (t) => {
  const with_ = (key: string, text: string, from = '--x') => new Map([[key, { from, text }]]);
  t.equal(parseLabFile('/l.toml', GOOD, with_('placement.cpus', '3')).placement.cpus, 3);
  const placed = (key: string, text: string) => parseLabFile('/l.toml', GOOD, with_(key, text)).placement;
  t.match(placed('placement.nic', 'e1000'), { nic: 'e1000', host: null, template: null });
  t.equal(placed('placement.host', 'h1').host, 'h1');
  t.equal(placed('placement.host', 'any').host, null, 'takes back what the file names');
  t.equal(placed('placement.template', 'none').template, null);
  t.equal(parseLabFile('/l.toml', GOOD, with_('xo.insecure', 'true')).xo.insecure, true);
  t.equal(parseLabFile('/l.toml', GOOD, with_('ssh.jump.host', 'j')).ssh.jump?.host, 'j');
  t.same(parseLabFile('/l.toml', GOOD, with_('addresses.command', 'lease -m')).addresses.command, ['lease', '-m']);
  t.match(parseLabFile('/l.toml', GOOD, with_('paths.herd', '/a:/b c')).paths, {
    ...{ herd: ['/a', '/b c'], readyMarker: '/var/lib/x' },
  });
  const colons = `SHA256:${'AB:'.repeat(31)}AB`;
  t.equal(parseLabFile('/l.toml', GOOD, with_('xo.fingerprint', colons)).xo.fingerprint, 'ab'.repeat(32));
  const rows: readonly [string, string, string, string, RegExp][] = [
    ['placement.cpus', 'two', '--cpus', 'BAD_OPTION', /^--cpus: expected a number from 1 to 256, given "two"/],
    ['placement.nic', 'virtio', '--nic', 'BAD_OPTION', /^--nic: expected rtl8139 or e1000, given "virtio"/],
    ['placement.firmware', 'efi', '--firmware', 'BAD_OPTION', /^--firmware: expected bios or uefi, given "efi"/],
    ['fixed.vm', 'x', 'BOOTWITNESS_FIXED_VM', 'BAD_ENVIRONMENT', /^BOOTWITNESS_FIXED_VM: expected a uuid, given "x"/],
    ['xo.insecure', 'yes', '--xo-insecure', 'BAD_OPTION', /^--xo-insecure: expected true or false, given "yes"/],
  ];
  for (const [key, text, from, code, message] of rows) {
    t.throws(() => parseLabFile('/l.toml', GOOD, with_(key, text, from)), { code, message });
  }
});
