/** Recorded: disks on their way in and out, over REST and over the `$sendTo` of `disk.import`. */
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { makeVhd } from '../lab/make-vhd.ts';
import { recordedForm } from './http.ts';
import { testEndpoint } from './open-endpoint.ts';
import { everywhere, type Place } from './place.ts';
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

/** The path that the call gave. */
async function sendTo({ xo, sr, name }: Place, type: string): Promise<string> {
  const order = { name: name('imported'), sr: (await sr()).id, type };
  const { $sendTo } = (await xo.call('disk.import', order)) as { $sendTo: string };
  return $sendTo;
}

/** Where a disk of that name is made. */
const at = async ({ sr, name }: Place, label: string, query = ''): Promise<string> =>
  `/rest/v0/srs/${(await sr()).id}/vdis?${query}${new URLSearchParams({ name_label: name(label) })}`;

const none = (found: readonly unknown[]) => found.length === 0;

everywhere('REST: import, read back, overwrite', async (t, place) => {
  const { rest, the, until, xo, name } = place;
  const disk = someDisk();
  const path = await at(place, 'rest raw', 'raw=true&');
  const made = await rest(path, { method: 'POST', headers: BINARY, body: disk });
  const { id } = JSON.parse(made.body.toString()) as { id: string };
  t.match(recordedForm(made), { status: 201, headers: { location: `/rest/v0/vdis/${id}`, 'content-length': '50' } });
  t.equal(made.body.toString(), `{\n  "id": "${id}"\n}`);
  await until({ id }, (found) => found.length === 1);
  t.match(await the({ id }), {
    name_label: name('rest raw'),
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

everywhere('REST: a dynamic VHD, its blocks in any order', async (t, place) => {
  const { rest, the, until } = place;
  const disk = someDisk();
  for (const order of [undefined, (all: readonly number[]) => [...all].reverse()]) {
    const body = makeVhd(disk, order);
    const made = await rest(await at(place, 'a VHD'), { method: 'POST', headers: BINARY, body });
    t.equal(made.status, 201);
    const { id } = JSON.parse(made.body.toString()) as { id: string };
    await until({ id }, (found) => found.length === 1);
    t.equal((await the({ id })).size, 10 * MIB);
    const back = await rest(`/rest/v0/vdis/${id}.raw`, { headers: { 'accept-encoding': 'identity' } });
    t.ok(back.body.subarray(0, disk.length).equals(disk));
  }
});

everywhere('REST: refusals', async (t, place) => {
  const { rest, until, makeVm, xo, name } = place;
  const body = randomBytes(2 * MIB);
  const plain = await at(place, 'refused');
  const raw = await at(place, 'refused', 'raw=true&');
  const same = async (what: string, path: string, asked: object) => {
    const answer = recordedForm(await rest(path, { method: 'POST', headers: BINARY, body, ...asked }));
    t.strictSame(masked({ result: answer }), recorded('upload', what), what);
  };
  await same('REST import without content-length', raw, { chunked: true });
  await same('REST import, ?raw without a value', await at(place, 'refused', 'raw&'), {});
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  await same('REST import, content-type application/x-www-form-urlencoded', raw, { headers });
  t.match(await rest(plain, { method: 'POST', headers: BINARY, body }), { status: 500 }, 'no VHD');
  const cut = makeVhd(someDisk()).subarray(0, 3 * MIB);
  const damaged = await rest(plain, { method: 'POST', headers: BINARY, body: cut });
  t.match(damaged.body.toString(), /VDI_IO_ERROR/, 'a VHD that ends too early');
  await until({ name_label: name('refused') }, none);
  const { vm, vdi } = await makeVm();
  const large = await rest(`/rest/v0/vdis/${vdi}.raw`, { method: 'PUT', headers: BINARY, body: Buffer.alloc(3 * MIB) });
  t.match(large.body.toString(), /VDI_IO_ERROR/, 'too large for the disk');
  await xo.call('vm.start', { id: vm });
  await same('REST PUT to a disk which is too small', `/rest/v0/vdis/${vdi}.raw`, { method: 'PUT' });
  t.match(await rest(`/rest/v0/vdis/${vdi}`, { method: 'DELETE' }), { status: 500 }, 'a disk in use');
  t.match(await rest(`/rest/v0/vdis/${vdi}.raw`), { status: 500 }, 'a disk in use is not read either');
});

async function leaveInTheMiddle(t: Test, place: Place): Promise<void> {
  const { rest, send, until, name } = place;
  const body = makeVhd(randomBytes(8 * MIB));
  for (const query of ['raw=true&', '']) {
    const path = await at(place, 'imported', query);
    await t.rejects(rest(path, { method: 'POST', headers: BINARY, body, cutAfter: 3 * MIB }));
  }
  for (const type of ['iso', 'vhd']) {
    const path = await sendTo(place, type);
    await t.rejects(send(path, { method: 'POST', headers: FORM, body: form('file', body), cutAfter: 3 * MIB }));
  }
  await until({ name_label: name('imported') }, none);
}

everywhere('a client that goes away in the middle leaves no disk', leaveInTheMiddle);

t.test('nor space that is taken', async (t) => {
  const place = await testEndpoint(t);
  await leaveInTheMiddle(t, place);
  await place.until({ type: 'SR' }, ([one]) => one?.usage === 0);
});

everywhere('disk.import: what arrives', async (t, place) => {
  const { the, rest, send, name } = place;
  const disk = someDisk();
  for (const [type, bytes] of [
    ['iso', disk],
    ['vhd', makeVhd(disk)],
  ] as const) {
    const path = await sendTo(place, type);
    const answer = await send(path, { method: 'POST', headers: FORM, body: form('file', bytes) });
    const { result } = JSON.parse(answer.body.toString()) as { result: string };
    t.strictSame(recordedForm(answer), {
      status: 200,
      headers: {},
      text: `{"id":0,"jsonrpc":"2.0","result":"${result}"}`,
    });
    t.match(await the({ id: result }), { name_label: name('imported'), size: 10 * MIB }, 'known at once');
    const back = await rest(`/rest/v0/vdis/${result}.raw`, { headers: { 'accept-encoding': 'identity' } });
    t.ok(back.body.subarray(0, disk.length).equals(disk), `${type} as sent`);
    const second = await send(path, { method: 'POST', body: Buffer.alloc(0) });
    t.equal(second.status, 302, 'a path works once');
  }
  const odd = form('file', randomBytes(100_001));
  const answer = await send(await sendTo(place, 'iso'), { method: 'POST', headers: FORM, body: odd });
  const what = 'type iso, size not a multiple of 512';
  t.strictSame(masked({ result: recordedForm(answer) }), recorded('upload', what), what);
  const nobody = await send('/api/nobody', { method: 'POST', body: Buffer.alloc(0) });
  t.strictSame(masked({ result: recordedForm(nobody) }), recorded('upload', 'a path nobody gave'));
});

const small = form('file', Buffer.alloc(64, 7));

t.test('disk.import: refusals of the pool', async (t) => {
  const place = await testEndpoint(t);
  for (const [mishap, name] of [
    ['transfer-fails', 'type iso, the transfer fails in the XAPI'],
    ['sr-full', 'type iso, SR full'],
  ] as const) {
    place.mishaps.set(mishap);
    const answer = await place.send(await sendTo(place, 'iso'), { method: 'POST', headers: FORM, body: small });
    t.strictSame(masked({ result: recordedForm(answer) }), recorded('upload', name), name);
    place.mishaps.clear(mishap);
  }
  await place.until({ type: 'VDI' }, none);
});

everywhere('disk.import: refusals', async (t, place) => {
  const { until, send, name } = place;
  const same = async (what: string, type: string, asked: object) => {
    const answer = await send(await sendTo(place, type), { method: 'POST', headers: FORM, ...asked });
    t.strictSame(masked({ result: recordedForm(answer) }), recorded('upload', what), what);
  };
  const body = small;
  await same('not multipart: the raw bytes as the body', 'iso', { body, headers: BINARY });
  await same('multipart, chunked: no content-length', 'iso', { body, chunked: true });
  // By luck the client sees the answer or a broken connection, as recorded; the answer is the same each time.
  for (const type of ['raw', 'qcow2']) {
    const refused = await outcome(send(await sendTo(place, type), { method: 'POST', headers: FORM, body }));
    const seen = JSON.stringify(refused);
    t.ok(/ECONNRESET|EPIPE|socket hang up/.test(seen) || /"status":500/.test(seen), `type ${type} is refused`);
  }
  const bytes = form('file', Buffer.concat([Buffer.alloc(512, 5), Buffer.alloc(MIB)]));
  const noVhd = await send(await sendTo(place, 'vhd'), { method: 'POST', headers: FORM, body: bytes });
  const sums = (one: unknown) => JSON.parse(JSON.stringify(one).replace(/\b\d{8,10}\b/g, 'SUM')) as unknown;
  t.strictSame(sums({ result: recordedForm(noVhd) }), sums(recorded('upload', 'type vhd, not a VHD')));
  await until({ name_label: name('imported') }, none);
});

t.test('disk.import: without a part named "file" there is never an answer', async (t) => {
  const place = await testEndpoint(t);
  const { send, logged } = place;
  const nameless = send(await sendTo(place, 'iso'), { method: 'POST', headers: FORM, body: form('disk', small) });
  let answered = false;
  nameless.then(
    () => {
      answered = true;
    },
    () => undefined,
  );
  while (!logged.some((line) => line.includes('without a part named'))) await send('/x', {});
  await send('/x', {});
  t.notOk(answered);
});
