import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Fault } from '../../harness/faults.ts';
import { loadLabFile, parseLabFile } from '../../harness/lab-file.ts';

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
    url: 'https://xo.example.org',
    tokenFile: '/labs/token',
    memoryMiB: 1024,
    cpus: 1,
    firmware: 'uefi',
    sshKey: '/keys/id',
    sshPort: 22,
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
    [GOOD.replace('02:00:00:00:AA:01', '02:00'), /slots.mac: expected a MAC like .* given "02:00"/],
    [GOOD.replace('memory_mib = 1024', 'memory_mib = 1024.5'), /line 7: placement.memory_mib: expected a whole number/],
    [GOOD.replace('url = ', '# url = '), /line 3: xo.url: expected the URL of Xen Orchestra, given nothing/],
    [`${GOOD}\nflavour = 3\n`, /unknown key paths.flavour/],
    [`colour = "red"\n${GOOD}`, /line 1: unknown key colour/],
    ['ssh = 3\n[xo]\nurl = "http://x"\n', /line 1: ssh: expected a table, given 3/],
    [GOOD.replace('"/usr/local/bin/herd"', '7'), /paths.herd: expected a text or a list of texts, given 7/],
  ];
  for (const [text, message] of rows) t.match(refused(text), message);
});

t.test('the commented example is a lab file', async (t) => {
  const path = fileURLToPath(new URL('../../labs/pool1.example.toml', import.meta.url));
  t.match(loadLabFile(path), { name: 'pool1', kind: 'xo', firmware: 'uefi' });
});
