/** Somebody's pool is safe from the contract tests. The embedded lab stands in for it, with a stranger's VM in it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type TestEndpoint, testEndpoint } from './open-endpoint.ts';
import type { Place } from './place.ts';
import { realPlace, realXo } from './real-place.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-real-place-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

interface Stage {
  readonly pool: TestEndpoint;
  readonly place: Place;
  /** The stranger's. */
  readonly vm: string;
  readonly vdi: string;
  /** What the place does at its end. */
  end(): Promise<void>;
}

async function stage(t: Test): Promise<Stage> {
  const pool = await testEndpoint(t);
  const { vm, vdi } = await pool.makeVm('precious');
  const { url, token } = pool;
  const [sr, network] = [await pool.sr(), await pool.network()];
  const actions: (() => unknown)[] = [];
  const real = { url, token, sr: sr.uuid, network: String(network.name_label), template: 'Other install media' };
  const place = await realPlace({ teardown: (action) => actions.push(action) }, real, 1_000);
  return {
    ...{ pool, place, vm, vdi },
    end: async () => {
      for (const action of actions) await action();
    },
  };
}

t.test('what is not ours is not touched: the call is not even sent', async (t) => {
  const { pool, place, vm, vdi, end } = await stage(t);
  const before = await pool.shown({ $pool: (await pool.the({ type: 'pool' })).id });
  const [vbd, template] = [await pool.the({ type: 'VBD', VM: vm }), await pool.template()];
  const sent: unknown[] = [];
  const { xo } = place;
  const calls: readonly (readonly [string, Record<string, unknown>])[] = [
    ['vm.start', { id: vm }],
    ['vm.start', { vm }],
    ['vm.stop', { id: vm, force: true }],
    ['vm.delete', { id: vm }],
    ['vm.delete', { id: template.id }],
    ['vm.set', { id: vm, name_label: 'x' }],
    ['vm.clone', { id: vm, name: place.name('clone'), full_copy: false }],
    ['vm.snapshot', { id: vm, name: place.name('snapshot') }],
    ['tag.add', { id: vm, tag: 'x' }],
    ['vdi.delete', { id: vdi }],
    ['vdi.set', { id: vdi, name_label: 'x' }],
    ['vbd.delete', { id: vbd.id }],
    ['vm.start', { id: (await pool.the({ id: vm }))._xapiRef }],
    ['vm.create', { name_label: 'x', template: template.id }],
    ['disk.create', { name: 'x', size: '1 MiB', sr: (await pool.sr()).id }],
    ['server.remove', { id: 'x' }],
  ];
  for (const [method, params] of calls) {
    await t.rejects(
      xo.call(method, params).then((result) => sent.push(result)),
      { message: /^not sent, since it is not ours: / },
      `${method} ${JSON.stringify(params)}`,
    );
  }
  for (const [method, path] of [
    ['DELETE', `/rest/v0/vms/${vm}`],
    ['DELETE', `/rest/v0/vdis/${vdi}`],
    ['PUT', `/rest/v0/vdis/${vdi}.raw`],
    ['POST', `/rest/v0/srs/${(await pool.sr()).id}/vdis?raw=true&name_label=x`],
    ['POST', `/rest/v0/vms/${vm}/actions/start`],
  ] as const) {
    t.throws(() => place.rest(path, { method }), { message: /^not sent/ }, `${method} ${path}`);
  }
  await end();
  t.same(sent, []);
  t.same(await pool.shown({ $pool: (await pool.the({ type: 'pool' })).id }), before, 'everything is as it was');
});

t.test('what is ours is removed, also where it runs, and where nobody learnt its id', async (t) => {
  const { pool, place, vm, vdi, end } = await stage(t);
  const made = await place.makeVm();
  await place.xo.call('vm.start', { id: made.vm });
  const query = new URLSearchParams({ raw: 'true', name_label: place.name('x') });
  const upload = `/rest/v0/srs/${(await place.sr()).id}/vdis?${query}`;
  const headers = { 'content-type': 'application/octet-stream' };
  const { status } = await place.rest(upload, { method: 'POST', headers, body: Buffer.alloc(2 ** 20) });
  t.equal(status, 201);
  const order = { name: place.name('unlearnt'), size: '1 MiB', sr: (await place.sr()).id };
  await pool.xo.call('disk.create', order); // by another client: the place has no id of it
  await end();
  t.same(
    (await pool.shown({ type: 'VM' })).map(({ id }) => id),
    [vm],
  );
  t.same(
    (await pool.shown({ type: 'VDI' })).map(({ id }) => id),
    [vdi],
  );
});

t.test('what stays is told', async (t) => {
  const { pool, place, end } = await stage(t);
  const made = await place.makeVm();
  pool.mishaps.set('vdi-in-use', '1000');
  await t.rejects(end(), { message: new RegExp(`left in the pool of http.*: VDI ${made.vdi}`) });
});

t.test('it is named by the environment: whole, or not at all', async (t) => {
  const token = join(dir, 'token');
  writeFileSync(token, 'a-token\n');
  t.equal(realXo({ PATH: '/bin' }), null);
  const named = {
    BOOTWITNESS_TEST_XO_URL: 'wss://xo.example.org/',
    BOOTWITNESS_TEST_XO_TOKEN_FILE: token,
    BOOTWITNESS_TEST_XO_SR: 'fast',
    BOOTWITNESS_TEST_XO_NETWORK: 'lan',
  };
  t.same(realXo(named), {
    url: 'https://xo.example.org',
    ...{ token: 'a-token', sr: 'fast', network: 'lan', template: 'Other install media' },
  });
  const { BOOTWITNESS_TEST_XO_SR: _sr, ...partly } = named;
  t.throws(() => realXo(partly), { message: /^BOOTWITNESS_TEST_XO_SR: expected it beside BOOTWITNESS_TEST_XO_URL/ });
});
