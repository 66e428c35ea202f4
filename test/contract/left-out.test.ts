/** Every recorded error is held against the endpoint by a test here, or left out for a reason that is named. */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { recordedErrors } from './recorded.ts';

const GUEST_TOOLS = 'wants guest tools or an old pool, which this lab has not';
const OTHER_METHOD = 'of a method or route that this lab does not have';
const OF_XO_LIB = "xo-lib's or the operating system's own, seen by any client";

const LEFT_OUT: Readonly<Record<string, string>> = {
  'session: signIn': 'a success, shown with more detail',
  'session: open, nobody listening': OF_XO_LIB,
  'session: open, url with a trailing slash (path //api/)': 'shown without waiting for the time to pass',
  'objects: VMs left by that vm.create': 'a listing, shown with more detail',
  'VM: stop without force, no guest tools (XAPI: VM_MISSING_PV_DRIVERS)': GUEST_TOOLS,
  'VM: suspend': OTHER_METHOD,
  'VM: bootAfterCreate when the start fails': 'a success, shown with more detail',
  'upload: type raw': 'the client sees one thing or another by luck; shown',
  'upload: type qcow2, not a qcow2': 'the client sees one thing or another by luck; shown',
  'upload: multipart without a part named file': 'shown without waiting for the time to pass',
  'upload: type iso, the client goes away in the middle': 'a listing, shown with more detail',
  'upload: type vhd, the client goes away in the middle': 'a listing, shown with more detail',
  'REST: invalid body': OTHER_METHOD,
  'REST: hard_shutdown of a halted VM, sync': OTHER_METHOD,
  'limited user: xo.getAllObjects, without any right': 'a success, shown with more detail',
  'limited user: vm.create, admin of the pool': 'a success, shown with more detail',
  'limited user: disk.import, admin of the pool': 'a success, shown with more detail',
  'pool: the XAPI session ends: next call': 'there is no XAPI session behind this lab',
};

t.test('nothing recorded is forgotten', (t) => {
  const here = new URL('.', import.meta.url);
  const tests = readdirSync(here)
    .filter((name) => name.endsWith('.test.ts') && name !== 'left-out.test.ts')
    .map((name) => readFileSync(new URL(name, here), 'utf8'))
    .join('\n');
  const names = Object.entries(recordedErrors)
    .filter(([section]) => section !== 'xoServerVersion')
    .flatMap(([section, entries]) => Object.keys(entries).map((name) => ({ section, name })));
  for (const { section, name } of names) {
    const held = tests.includes(`'${name}'`) || (/^start, XAPI says /.test(name) && tests.includes(name.slice(17)));
    const left = LEFT_OUT[`${section}: ${name}`];
    t.ok(held !== (left !== undefined), `${section}: ${name}`);
  }
  const known = new Set(names.map(({ section, name }) => `${section}: ${name}`));
  for (const entry of Object.keys(LEFT_OUT)) t.ok(known.has(entry), `left out, and recorded: ${entry}`);
  t.end();
});
