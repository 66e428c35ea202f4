/** What the doctor says of a lab that is well, and of each way in which one is not; and that it changes nothing. */
import t, { type Test } from 'tap';
import type { Finding } from '../../../../harness/finding.ts';
import { Secret } from '../../../../harness/workdir/secrets.ts';
import { examineXo, type WriteWish } from '../../../../harness/xcpng/doctor/examine.ts';
import { openSession } from '../../../../harness/xcpng/session.ts';
import type { XoLabSettings } from '../../../../harness/xcpng/settings.ts';
import { NOBODY, openTestLab, POOL_ADMIN, recordCalls, type TestLab, within } from '../test-lab.ts';

const world = await openTestLab();
t.teardown(() => world.close());

async function examined(
  changes: Partial<XoLabSettings> = {},
  write: WriteWish | null = null,
): Promise<ReadonlyMap<string, Finding>> {
  const findings = await examineXo({ ...world.settings, ...changes }, { image: null, write }, within(20_000));
  return new Map(findings.map((finding) => [finding.name, finding]));
}

/** Each name once, each with something seen, and with a remedy where something is to be done. */
function wellFormed(t: Test, findings: ReadonlyMap<string, Finding>): void {
  for (const { name, status, seen, remedy } of findings.values()) {
    if (seen === '' || (status !== 'ok' && remedy === '')) t.fail(`${name}: ${status} ${seen} → ${remedy}`);
  }
}

const everything = ({ endpoint }: TestLab): string => JSON.stringify(endpoint.world.view.all());

/** Starts a VM, and waits until it is shown. */
async function guestOf(tags: readonly string[]): Promise<string> {
  const { url, credential, tls } = world.settings;
  const session = await openSession({ url, credential, tls, deadline: within(5_000) });
  const [template] = session.objects.all('VM-template').filter(({ name }) => name === 'Other install media');
  const order = { name_label: 'x', template: template?.id, VDIs: [], VIFs: [], tags };
  const vm = String(await session.call('vm.create', order, within(5_000)));
  await session.call('vm.start', { id: vm }, within(5_000));
  await session.objects.waitFor(within(5_000), 'it to run', 'XO_OBJECT_LATE', () =>
    session.objects.get('VM', vm)?.powerState === 'Running' ? { done: true } : { seen: 'not yet' },
  );
  await session.close();
  return vm;
}

t.test('a lab that is well, and is the same afterwards', async (t) => {
  const before = everything(world);
  const calls = recordCalls();
  const findings = await examined();
  calls.stop();
  t.equal(everything(world), before, 'not an object differs');
  const reading =
    /^(session\.signIn|system\.get\w+|xo\.getAllObjects|acl\.getCurrentPermissions|user\.getAuthenticationTokens)$/;
  t.same(
    calls.calls.map(({ method }) => method).filter((method) => !reading.test(method)),
    [],
    'only calls that read',
  );
  wellFormed(t, findings);
  const notWell = [...findings.values()].filter(({ status }) => status !== 'ok').map(({ name }) => name);
  t.same(notWell, ['console'], 'no guest runs');
  t.notMatch(JSON.stringify([...findings]), world.token, 'the token is not shown');
});

t.test('who cannot sign in is told that alone', async (t) => {
  const findings = await examined({ credential: { token: new Secret('not-a-token') } });
  t.same([...findings.keys()], ['xo-sign-in']);
  t.match(findings.get('xo-sign-in'), { status: 'broken', seen: /^XO_SIGN_IN_REFUSED: / });
  const nowhere = await examined({ url: 'http://127.0.0.1:1' });
  t.match(nowhere.get('xo-sign-in'), { status: 'broken', seen: /^XO_UNREACHABLE: / });
});

t.test('rights', async (t) => {
  const as = ({ email, password }: typeof POOL_ADMIN | typeof NOBODY) =>
    examined({ credential: { email, password: new Secret(password) } });
  const poolAdmin = await as(POOL_ADMIN);
  t.match(poolAdmin.get('xo-rights'), { status: 'warning', seen: /admin on the pool; why .* is hidden/ });
  t.match(poolAdmin.get('xo-token'), { status: 'ok', seen: /by password/ });
  const nobody = await as(NOBODY);
  t.match(nobody.get('xo-rights'), { status: 'unknown', seen: /0 object\(s\) with explicit rights/ });
});

t.test('token, clock, version of the API', async (t) => {
  const { accounts } = world.endpoint.world;
  const [admin] = world.endpoint.users;
  if (admin === undefined) throw new Error('no user');
  const token = accounts.createToken(admin, { expiresIn: '2 days' });
  t.match((await examined({ credential: { token: new Secret(token) } })).get('xo-token'), {
    status: 'warning',
    seen: /2\.0 days$/,
  });
  for (const [offset, says] of [
    ['3600', /^(3599|3600|3601) s ahead of/],
    ['-3600', /^(3599|3600|3601) s behind/],
  ] as const) {
    world.mishaps.set('clock-offset', offset);
    t.match((await examined()).get('xo-clock'), { status: 'warning', seen: says });
  }
  world.mishaps.clear('clock-offset');
});

t.test('ways in and back', async (t) => {
  world.mishaps.set('no-rest-post');
  t.match((await examined()).get('import-path'), { status: 'warning', seen: /^disk-import: / });
  world.mishaps.clear('no-rest-post');
  world.mishaps.set('no-rest');
  const older = await examined();
  t.match(older.get('import-path'), { status: 'warning' });
  t.match(older.get('read-back'), { status: 'warning', seen: /cannot read a disk back/ });
  world.mishaps.clear('no-rest');
});

t.test('names, slots, sources of addresses', async (t) => {
  t.match((await examined({ sr: 'nowhere' })).get('placement'), {
    status: 'broken',
    seen: /^BAD_PLACEMENT: .*nowhere/,
  });
  const slot = { mac: '02:00:00:00:aa:01', address: '127.83.17.1' };
  t.match((await examined({ slots: [slot, slot] })).get('slots'), { status: 'broken', seen: /stands in two slots/ });
  const unfindable = await examined({ slots: [], kind: 'xo' });
  t.match(unfindable.get('addresses'), { status: 'warning', seen: /guest metrics only/ });
  const failing = { name: 'command', find: () => Promise.reject(new Error('a bug of ours')) };
  await t.rejects(examined({ addressSources: [failing] }), { message: 'a bug of ours' }, 'our own bug is no finding');
});

t.test('a fixed VM that is not there', async (t) => {
  const uuid = '0f9a1b2c-0000-4000-8000-000000000001';
  const fixed = { vm: uuid, vdi: uuid, leave: 'halted', control: false, lockWaitMs: 0, pad: false } as const;
  const findings = await examined({ fixed });
  t.match(findings.get('fixed-vm'), { status: 'broken', seen: /^BAD_FIXED_VM: fixed\.vm/ });
  t.match(findings.get('lock'), { status: 'ok', seen: 'free' });
  t.match(findings.get('import-path'), { status: 'ok', seen: /^rest-put-vdi/ });
  world.mishaps.set('no-rest');
  t.match((await examined({ fixed })).get('import-path'), { status: 'broken', seen: /cannot overwrite a disk/ });
  world.mishaps.clear('no-rest');
});

t.test('consoles: of ours only', async (t) => {
  await guestOf(['of somebody else']);
  t.match((await examined()).get('console'), { status: 'unknown', seen: /no guest of ours runs/ });
  const ours = await guestOf(['bootwitness']);
  const findings = await examined();
  t.match(findings.get('console'), { status: 'ok', seen: `VM ${ours} greets with RFB 003.008` });
  t.match(findings.get('left-overs'), { status: 'ok', seen: /^none; 1 object/ });
  const credential = { email: NOBODY.email, password: new Secret(NOBODY.password) };
  t.match((await examined({ credential })).get('console'), {
    status: 'broken',
    seen: new RegExp(`^CONSOLE_CLOSED: console of VM ${ours}: Xen Orchestra closed it`),
  });
});

t.test('room', async (t) => {
  world.mishaps.set('sr-size', '4');
  await world.endpoint.world.view.polled();
  t.match((await examined()).get('sr-space'), { status: 'broken', seen: /^SR_FULL: .*free of/ });
  world.mishaps.clear('sr-size');
  world.mishaps.set('host-free', '100');
  t.match((await examined()).get('host-memory'), { status: 'broken', seen: /^NO_HOST_AVAILABLE: / });
  world.mishaps.clear('host-free');
  world.mishaps.set('sr-detached');
  await world.endpoint.world.view.polled();
  t.match((await examined()).get('sr-space'), { status: 'broken', seen: /^SR_UNUSABLE: / });
  world.mishaps.clear('sr-detached');
  await world.endpoint.world.view.polled();
});

t.test('writing, where the operator says so', async (t) => {
  const SR = { kind: 'sr', name: 'Embedded local storage' } as const;
  const before = world.left();
  const well = await examined({}, SR);
  for (const name of ['write', 'read', 'over', 'zeros', 'removed']) {
    t.match(well.get(`write-test-${name}`), { status: 'ok' }, JSON.stringify(well.get(`write-test-${name}`)));
  }
  t.same(world.left(), before, 'nothing stayed');
  world.mishaps.set('keep-old-blocks');
  const keeps = await examined({}, SR);
  t.match(keeps.get('write-test-zeros'), {
    status: 'broken',
    seen: '2 of 2 blocks that were left out keep their old content',
  });
  world.mishaps.clear('keep-old-blocks');
  world.mishaps.set('transfer-fails');
  const fails = await examined({}, SR);
  t.match(fails.get('write-test-write'), { status: 'broken', seen: /^UPLOAD_REFUSED: / });
  t.notOk(fails.has('write-test-read'), 'what was not written is not read');
  world.mishaps.clear('transfer-fails');
  world.mishaps.set('no-rest');
  const older = await examined({}, SR);
  t.match(older.get('write-test-read'), { status: 'unknown' });
  t.match(older.get('write-test-over'), { status: 'broken' });
  world.mishaps.clear('no-rest');
  await t.rejects(examined({}, { kind: 'sr', name: 'nowhere' }), { code: 'BAD_PLACEMENT' });
});
