/** Recorded: disks on their way in and out, over REST and over the `$sendTo` of `disk.import`. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { makeVhd } from '../lab/make-vhd.ts';
import { ask, recordedForm } from './http.ts';
import { type TestEndpoint, testEndpoint } from './open-endpoint.ts';
import { masked, outcome, recorded } from './recorded.ts';

const MIB = 2 ** 20;
const BINARY = { 'content-type': 'application/octet-stream' };
const BOUNDARY = '3649d12b-d8ec-4f9c-8391-a8cf9eea9ce5';
const FORM = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };

function form(name: string, bytes: Buffer): Buffer {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"; filename="disk"\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]);
}

/** A disk with holes, of an odd number of half blocks. */
function someDisk(): Buffer {
  const disk = Buffer.alloc(9 * MIB);
  randomBytes(MIB).copy(disk, 0);
  randomBytes(3 * MIB).copy(disk, 5 * MIB + 512);
  return disk;
}

async function sendTo({ xo, the, url }: TestEndpoint, type: string): Promise<string> {
  const sr = await the({ type: 'SR' });
  const { $sendTo } = (await xo.call('disk.import', { name: 'imported', sr: sr.id, type })) as { $sendTo: string };
  return `${url}${$sendTo}`;
}

const none = (found: readonly unknown[]) => found.length === 0;

t.test('REST: import, read back, overwrite', async (t) => {
  const { rest, the, until, xo } = await testEndpoint(t);
  const [sr, disk] = [await the({ type: 'SR' }), someDisk()];
  const at = `/rest/v0/srs/${sr.id}/vdis`;
  const made = await rest(`${at}?raw=true&name_label=rest%20raw`, { method: 'POST', headers: BINARY, body: disk });
  const { id } = JSON.parse(made.body.toString()) as { id: string };
  t.match(recordedForm(made), { status: 201, headers: { location: `/rest/v0/vdis/${id}`, 'content-length': '50' } });
  t.equal(made.body.toString(), `{\n  "id": "${id}"\n}`);
  await until({ id }, (found) => found.length === 1);
  t.match(await the({ id }), {
    name_label: 'rest raw',
    size: 10 * MIB,
    other_config: { 'xo:import:length': String(9 * MIB) },
  });
  await until({ id }, ([vdi]) => Object.keys(vdi?.other_config as object).length === 0);
  const whole = await rest(`/rest/v0/vdis/${id}.raw`, { headers: { 'accept-encoding': 'identity' } });
  t.match(whole.headers, { 'content-type': 'application/octet-stream', 'content-length': undefined });
  t.ok(whole.body.subarray(0, disk.length).equals(disk), 'the bytes that were sent');
  t.ok(whole.body.length === 10 * MIB && whole.body.subarray(disk.length).every((byte) => byte === 0), 'then zeros');
  const other = Buffer.concat([Buffer.alloc(8 * MIB), randomBytes(2 * MIB)]);
  const put = await rest(`/rest/v0/vdis/${id}.vhd`, { method: 'PUT', headers: BINARY, body: makeVhd(other) });
  t.match(recordedForm(put), { status: 204, text: '' });
  const again = await rest(`/rest/v0/vdis/${id}.raw`);
  t.ok(again.body.equals(other), 'old content is gone, also where the VHD has no block');
  t.equal((await the({ id })).type, 'VDI');
  t.match(recordedForm(await rest(`/rest/v0/vdis/${id}`, { method: 'DELETE' })), { status: 204 });
  await until({ id }, none);
  t.equal((await rest(`/rest/v0/vdis/${id}`)).status, 404);
  await t.rejects(xo.call('vdi.delete', { id }), { code: 1 });
});

t.test('REST: a dynamic VHD, its blocks in any order', async (t) => {
  const { rest, the, until } = await testEndpoint(t);
  const [sr, disk] = [await the({ type: 'SR' }), someDisk()];
  for (const order of [undefined, (all: readonly number[]) => [...all].reverse()]) {
    const body = makeVhd(disk, order);
    const made = await rest(`/rest/v0/srs/${sr.id}/vdis`, { method: 'POST', headers: BINARY, body });
    t.equal(made.status, 201);
    const { id } = JSON.parse(made.body.toString()) as { id: string };
    await until({ id }, (found) => found.length === 1);
    t.equal((await the({ id })).size, 10 * MIB);
    const back = await rest(`/rest/v0/vdis/${id}.raw`, { headers: { 'accept-encoding': 'identity' } });
    t.ok(back.body.subarray(0, disk.length).equals(disk));
  }
});

t.test('REST: refusals', async (t) => {
  const { rest, the, until, makeVm, xo } = await testEndpoint(t);
  const sr = await the({ type: 'SR' });
  const body = randomBytes(2 * MIB);
  const at = `/rest/v0/srs/${sr.id}/vdis`;
  const same = async (name: string, path: string, asked: object) => {
    const answer = recordedForm(await rest(path, { method: 'POST', headers: BINARY, body, ...asked }));
    t.strictSame(masked({ result: answer }), recorded('upload', name), name);
  };
  await same('REST import without content-length', `${at}?raw=true`, { chunked: true });
  await same('REST import, ?raw without a value', `${at}?raw`, {});
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  await same('REST import, content-type application/x-www-form-urlencoded', `${at}?raw=true`, { headers });
  t.match(await rest(at, { method: 'POST', headers: BINARY, body }), { status: 500 }, 'no VHD');
  const cut = makeVhd(someDisk()).subarray(0, 3 * MIB);
  const damaged = await rest(at, { method: 'POST', headers: BINARY, body: cut });
  t.match(damaged.body.toString(), /VDI_IO_ERROR/, 'a VHD that ends too early');
  await until({ type: 'VDI' }, none);
  const { vm, vdi } = await makeVm();
  const large = await rest(`/rest/v0/vdis/${vdi}.raw`, { method: 'PUT', headers: BINARY, body: Buffer.alloc(3 * MIB) });
  t.match(large.body.toString(), /VDI_IO_ERROR/, 'too large for the disk');
  await xo.call('vm.start', { id: vm });
  await same('REST PUT to a disk which is too small', `/rest/v0/vdis/${vdi}.raw`, { method: 'PUT' });
  t.match(await rest(`/rest/v0/vdis/${vdi}`, { method: 'DELETE' }), { status: 500 }, 'a disk in use');
  t.match(await rest(`/rest/v0/vdis/${vdi}.raw`), { status: 500 }, 'a disk in use is not read either');
});

t.test('a client that goes away in the middle leaves no disk', async (t) => {
  const ends = await testEndpoint(t);
  const { rest, the, until, url } = ends;
  const sr = await the({ type: 'SR' });
  const body = makeVhd(randomBytes(8 * MIB));
  const raw = `/rest/v0/srs/${sr.id}/vdis?raw=true`;
  await t.rejects(rest(raw, { method: 'POST', headers: BINARY, body, cutAfter: 3 * MIB }));
  await t.rejects(rest(raw.replace('?raw=true', ''), { method: 'POST', headers: BINARY, body, cutAfter: 3 * MIB }));
  for (const type of ['iso', 'vhd']) {
    const path = await sendTo(ends, type);
    const bytes = form('file', body);
    await t.rejects(ask(path, { method: 'POST', headers: FORM, body: bytes, cutAfter: 3 * MIB }));
  }
  await until({ type: 'VDI' }, none);
  await until({ type: 'SR' }, ([one]) => one?.usage === 0);
  t.match(await ask(`${url}/nothing`), { status: 302 });
});

t.test('disk.import: what arrives', async (t) => {
  const ends = await testEndpoint(t);
  const { the, rest, url } = ends;
  const disk = someDisk();
  for (const [type, bytes] of [
    ['iso', disk],
    ['vhd', makeVhd(disk)],
  ] as const) {
    const path = await sendTo(ends, type);
    const answer = await ask(path, { method: 'POST', headers: FORM, body: form('file', bytes) });
    const { result } = JSON.parse(answer.body.toString()) as { result: string };
    t.strictSame(recordedForm(answer), {
      status: 200,
      headers: {},
      text: `{"id":0,"jsonrpc":"2.0","result":"${result}"}`,
    });
    t.match(await the({ id: result }), { name_label: 'imported', size: 10 * MIB }, 'known at once');
    const back = await rest(`/rest/v0/vdis/${result}.raw`, { headers: { 'accept-encoding': 'identity' } });
    t.ok(back.body.subarray(0, disk.length).equals(disk), `${type} as sent`);
    const second = await ask(path, { method: 'POST', body: Buffer.alloc(0) });
    t.equal(second.status, 302, 'a path works once');
  }
  const odd = form('file', randomBytes(100_001));
  const answer = await ask(await sendTo(ends, 'iso'), { method: 'POST', headers: FORM, body: odd });
  const name = 'type iso, size not a multiple of 512';
  t.strictSame(masked({ result: recordedForm(answer) }), recorded('upload', name), name);
  const nobody = await ask(`${url}/api/nobody`, { method: 'POST', body: Buffer.alloc(0) });
  t.strictSame(masked({ result: recordedForm(nobody) }), recorded('upload', 'a path nobody gave'));
});

t.test('disk.import: refusals', async (t) => {
  const ends = await testEndpoint(t);
  const { mishaps, until, url } = ends;
  const same = async (name: string, type: string, asked: object) => {
    const answer = await ask(await sendTo(ends, type), { method: 'POST', headers: FORM, ...asked });
    t.strictSame(masked({ result: recordedForm(answer) }), recorded('upload', name), name);
  };
  const body = form('file', Buffer.alloc(64, 7));
  mishaps.set('transfer-fails');
  await same('type iso, the transfer fails in the XAPI', 'iso', { body });
  mishaps.clear('transfer-fails');
  mishaps.set('sr-full');
  await same('type iso, SR full', 'iso', { body });
  mishaps.clear('sr-full');
  await same('not multipart: the raw bytes as the body', 'iso', { body, headers: BINARY });
  await same('multipart, chunked: no content-length', 'iso', { body, chunked: true });
  // By luck the client sees the answer or a broken connection, as recorded; the answer is the same each time.
  for (const type of ['raw', 'qcow2']) {
    const refused = await outcome(ask(await sendTo(ends, type), { method: 'POST', headers: FORM, body }));
    const seen = JSON.stringify(refused);
    t.ok(/ECONNRESET|EPIPE|socket hang up/.test(seen) || /"status":500/.test(seen), `type ${type} is refused`);
  }
  const bytes = form('file', Buffer.concat([Buffer.alloc(512, 5), Buffer.alloc(MIB)]));
  const noVhd = await ask(await sendTo(ends, 'vhd'), { method: 'POST', headers: FORM, body: bytes });
  const sums = (one: unknown) => JSON.parse(JSON.stringify(one).replace(/\b\d{8,10}\b/g, 'SUM')) as unknown;
  t.strictSame(sums({ result: recordedForm(noVhd) }), sums(recorded('upload', 'type vhd, not a VHD')));
  await until({ type: 'VDI' }, none);
  const nameless = ask(await sendTo(ends, 'iso'), { method: 'POST', headers: FORM, body: form('disk', body) });
  let answered = false;
  nameless.then(
    () => {
      answered = true;
    },
    () => undefined,
  );
  while (!ends.logged.some((line) => line.includes('without a part named'))) await ask(`${url}/x`);
  await ask(`${url}/x`);
  t.notOk(answered, 'without a part named "file" there is never an answer');
});
