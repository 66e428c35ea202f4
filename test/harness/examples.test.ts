/** The commented examples are lab files, also what is commented out in them; no key of a lab file is left untold. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { FAULTS } from '../../harness/faults/fault-table.ts';
import { KNOWN_KEYS, loadLabFile, parseLabFile } from '../../harness/options/lab-file.ts';

const LABS = fileURLToPath(new URL('../../labs/', import.meta.url));
const DOCS = readFileSync(new URL('../../docs/lab-setup.md', import.meta.url), 'utf8');
const EXAMPLES = readdirSync(LABS).filter((name) => name.endsWith('.example.toml'));

/** The example with everything in it that is commented out and looks like TOML. */
const whole = (text: string): string => text.replace(/^# (?=\[[\w.]+\]$|"?[\w+.-]+"? = )/gm, '');

/** `table.key` of each assignment. */
function keysOf(text: string): readonly string[] {
  let table = '';
  return text.split('\n').flatMap((line) => {
    const heading = /^\[+([\w.]+)\]+/.exec(line)?.[1];
    if (heading !== undefined) table = heading;
    const key = /^"?([\w+.-]+)"? = /.exec(line)?.[1];
    return key === undefined ? [] : [table === '' ? key : `${table}.${key}`];
  });
}

t.test('each example is a lab file, and so is what it has commented out', async (t) => {
  t.same(EXAMPLES.sort(), ['fixed.example.toml', 'pool1.example.toml']);
  for (const name of EXAMPLES) {
    const text = readFileSync(LABS + name, 'utf8');
    t.match(loadLabFile(LABS + name), { kind: 'xo', xo: { url: 'https://xo.example.org' } }, name);
    const all = parseLabFile(LABS + name, whole(text));
    t.ok(keysOf(whole(text)).length > keysOf(text).length, `${name} has more commented out`);
    if (name.startsWith('fixed')) t.match(all.fixed, { leave: 'halted', control: false, lockWaitS: 0, pad: false });
    else t.match(all, { fixed: null, ssh: { jump: { host: 'jump.example.org' } }, addresses: { neighbours: 'jump' } });
  }
});

t.test('what an example calls the default is the default', async (t) => {
  const bare = parseLabFile('/bare.toml', '[xo]\nurl = "http://x"\n');
  const text = whole(readFileSync(`${LABS}pool1.example.toml`, 'utf8'));
  const shown = parseLabFile('/shown.toml', text);
  t.equal(shown.budgetScale, bare.budgetScale);
  t.equal(shown.claimHours, bare.claimHours);
  t.equal(shown.ssh.keepaliveS, bare.ssh.keepaliveS);
  t.equal(shown.addresses.stimulatePerS, bare.addresses.stimulatePerS);
});

t.test('every key stands in an example or in docs/lab-setup.md', async (t) => {
  const told = new Set(EXAMPLES.flatMap((name) => keysOf(whole(readFileSync(LABS + name, 'utf8')))));
  const tables = new Set(Object.keys(KNOWN_KEYS));
  for (const [table, keys] of Object.entries(KNOWN_KEYS)) {
    for (const key of keys) {
      const where = table === '' ? key : `${table}.${key}`;
      if (tables.has(where) || where === 'slots') continue;
      const inDocs = DOCS.includes(`\`${where}\``) || DOCS.includes(`\`[${table}]\``);
      t.ok(told.has(where) || inDocs, where);
    }
  }
  t.ok(told.has('slots.mac') && told.has('slots.address'));
});

t.test('docs/lab-setup.md names codes that there are, and every one that the caller can cause in a lab', async (t) => {
  const named = new Set([...DOCS.matchAll(/`([A-Z]+(?:_[A-Z0-9]+)+)`/g)].map(([, code]) => String(code)));
  for (const code of named) t.ok(code in FAULTS || code.startsWith('BOOTWITNESS_'), code);
  const ofTheLabFile = ['BAD_LAB_FILE', 'BAD_URL', 'BAD_PLACEMENT', 'BAD_FIXED_VM', 'BAD_KEY'];
  const ofXo = Object.keys(FAULTS).filter((code) => /^XO_(CERT|SIGN|PERM|TOKEN|UNREACH|ERROR)|^JUMP_/.test(code));
  for (const code of [...ofTheLabFile, ...ofXo]) t.ok(named.has(code), `${code} is explained`);
});
