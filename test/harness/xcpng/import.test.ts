/** Uploads and reading back against a server that misbehaves in ways the embedded lab does not. */
import { utimesSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { planImage } from '../../../harness/image/plan.ts';
import { Scratch } from '../../../harness/image/scratch.ts';
import { Secret } from '../../../harness/workdir/secrets.ts';
import { plainSource } from '../../../harness/xcpng/disk-source.ts';
import { overwrite, type UploadOptions, upload } from '../../../harness/xcpng/import.ts';
import { ObjectStore } from '../../../harness/xcpng/objects.ts';
import { readBack } from '../../../harness/xcpng/read-back.ts';
import { openSession, type Session } from '../../../harness/xcpng/session.ts';
import { openTestLab, within } from './test-lab.ts';

const world = await openTestLab();
t.teardown(() => world.close());
const { image } = world;

/** A session whose REST side is `answer`; it cannot call. */
async function sessionOver(t: Test, answer: RequestListener): Promise<Session> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint: { base, tls: { insecure: false, caPem: null, fingerprint: null }, clockOffsetMs: 0 },
    token: new Secret('a-token-of-the-test'),
    ...{
      xoVersion: '0',
      user: { email: 'test', permission: 'admin' },
      objects: new ObjectStore(),
      lost: null,
      reconnects: 0,
    },
    call: () => Promise.reject(new Error('not here')),
    close: async () => undefined,
  };
}

const scratch = new Scratch({ dir: tmpdir() });
const options = (changes: Partial<UploadOptions> = {}): UploadOptions => ({
  ...{ source: plainSource(image, scratch), srId: 'sr', name: 'a name', description: 'a claim' },
  ...{ deadline: within(5_000), onUpload: () => undefined },
  ...changes,
});

t.test('what is sent', async (t) => {
  let seen: Readonly<Record<string, unknown>> = {};
  const id = '01234567-89ab-cdef-0123-456789abcdef';
  const session = await sessionOver(t, async (request, response) => {
    let bytes = 0;
    for await (const piece of request as AsyncIterable<Buffer>) bytes += piece.length;
    const { 'content-length': length, 'content-type': type, cookie, 'transfer-encoding': chunked } = request.headers;
    seen = { method: request.method, url: request.url, bytes, length, type, cookie, chunked };
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ id }, null, 2));
  });
  const { vdiUuid, record } = await upload(session, options());
  t.equal(vdiUuid, id);
  t.match(seen, {
    ...{ method: 'POST', url: '/rest/v0/srs/sr/vdis?name_label=a+name&name_description=a+claim' },
    ...{ bytes: record.bytes, length: String(record.bytes), type: 'application/octet-stream' },
    ...{ cookie: 'authenticationToken=a-token-of-the-test', chunked: undefined },
  });
});

t.test('refusals', async (t) => {
  const cases = [
    [401, '{"error":"invalid credentials"}', 'XO_TOKEN_EXPIRED', /401 invalid credentials/],
    [403, '{"error":"not enough permissions"}', 'XO_PERMISSION', /403 not enough/],
    [422, '{"error":{"raw":{"message":"bad"}}}', 'UPLOAD_REFUSED', /422 \{"raw"/],
    [500, '<html>\nproxy', 'UPLOAD_REFUSED', /500 <html>/],
    [200, '{"no":"id"}', 'UPLOAD_REFUSED', /expected the id of the new disk/],
  ] as const;
  for (const [status, body, code, says] of cases) {
    const session = await sessionOver(t, (request, response) => {
      request.resume();
      response.writeHead(status).end(body);
    });
    await t.rejects(upload(session, options()), { code, message: says });
  }
});

t.test('reading back', async (t) => {
  const zeros = Buffer.alloc(image.sizeBytes);
  const over = (status: number, ...pieces: readonly Buffer[]) =>
    sessionOver(t, (_, response) => {
      response.writeHead(status);
      for (const piece of pieces) response.write(piece);
      response.end();
    });
  const read = async (session: Session) => readBack(session, 'vdi', image, within(5_000));
  await t.rejects(read(await over(200, zeros)), { code: 'READ_BACK_DIFFERS', message: /expected sha256/ });
  const short = over(200, zeros.subarray(512));
  await t.rejects(read(await short), { code: 'READ_BACK_DIFFERS', message: /expected at least 7340032 bytes/ });
  const tail = over(200, zeros, Buffer.from([0, 1]));
  await t.rejects(read(await tail), { code: 'READ_BACK_DIFFERS', message: /behind the image/ });
  await t.rejects(read(await over(404, Buffer.from('{"error":"no such VDI"}'))), {
    code: 'XO_CALL_FAILED',
    message: /404 no such VDI/,
  });
  const broken = await sessionOver(t, (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('x', () => response.destroy());
  });
  await t.rejects(read(broken), { code: 'XO_UNREACHABLE', message: /ECONNRESET/ });
});

/** Replies run ahead of objects: REST, too, knows a disk only once XO lists it. */
const listed = ({ objects }: Session, id: string): Promise<true> =>
  objects.waitFor(within(5_000), `disk ${id}`, 'XO_OBJECT_LATE', () =>
    objects.get('VDI', id) === undefined ? { seen: 'not listed' } : { done: true },
  );

t.test('ways in: the best that this Xen Orchestra knows', async (t) => {
  const { url, credential, tls } = world.settings;
  const session = await openSession({ url, credential, tls, deadline: within(5_000) });
  t.teardown(() => session.close());
  const [sr] = session.objects.all('SR').filter(({ contentType }) => contentType !== 'iso');
  const ways = [
    { mishap: null, path: 'rest-post-vdis', compared: true },
    { mishap: 'no-rest-post', path: 'disk-import', compared: true },
    { mishap: 'no-rest', path: 'disk-import', compared: false },
  ] as const;
  const made: string[] = [];
  for (const { mishap, path, compared } of ways) {
    if (mishap) world.mishaps.set(mishap);
    const sent: number[] = [];
    const onUpload = (done: number): void => void sent.push(done);
    const { vdiUuid, record } = await upload(session, options({ srId: sr?.id ?? '', onUpload }));
    made.push(vdiUuid);
    t.match(record, { path, bytes: Number, ms: Number });
    t.ok(record.bytes >= (sent.at(-1) ?? Number.NaN), 'bytes of the whole body');
    await listed(session, vdiUuid);
    t.equal(await readBack(session, vdiUuid, image, within(5_000)), compared, `${path}: the same bytes, where shown`);
    if (mishap) world.mishaps.clear(mishap);
  }
  const vdis = world.endpoint.world.inventory.vdis;
  t.same(
    made.map((uuid) => vdis.get(uuid)?.nameDescription),
    ['a claim', 'a claim', 'a claim'],
    'each carries its claim from the first moment',
  );
  for (const uuid of made) t.equal(await readBack(session, uuid, image, within(5_000)), true, 'whichever way it came');

  const [vdiUuid = ''] = made;
  const again = { source: plainSource(image, scratch), vdiUuid, deadline: within(5_000), onUpload: () => undefined };
  t.match(await overwrite(session, again), { path: 'rest-put-vdi' });
  t.equal(await readBack(session, vdiUuid, image, within(5_000)), true);
  const path = `${image.path}.gz`;
  await writeFile(path, gzipSync(await readFile(image.path)));
  const packed = await planImage(path, { cacheDir: '/dev/null/none', scratch });
  t.match(packed, { format: 'raw+gz', sha256: image.sha256 });
  const unpacked = { ...again, source: plainSource(packed, scratch) };
  t.match(await overwrite(session, unpacked), { path: 'rest-put-vdi' });
  t.equal(await readBack(session, vdiUuid, image, within(5_000)), true, 'a compressed image arrives as its disk');
  await scratch.close();

  world.mishaps.set('no-rest');
  await t.rejects(overwrite(session, again), { code: 'UPLOAD_REFUSED', message: /cannot overwrite a disk/ });
  world.mishaps.clear('no-rest');
});

t.test('an older Xen Orchestra that refuses', async (t) => {
  const answers = [
    [200, '{"error":{"message":"SR_BACKEND_FAILURE_44"}}', /SR_BACKEND_FAILURE_44/],
    [500, 'unknown error', /500 unknown error/],
    [200, '{"result":"no uuid"}', /expected the id of the new disk, given \{"result":"no uuid"\}/],
  ] as const;
  for (const [status, body, says] of answers) {
    const session = await sessionOver(t, (request, response) => {
      request.resume();
      if (request.url?.startsWith('/rest/')) response.writeHead(404).end('<html>');
      else response.writeHead(status).end(body);
    });
    const calls = { ...session, call: async () => ({ $sendTo: '/api/once' }) };
    await t.rejects(upload(calls, options()), { code: 'UPLOAD_REFUSED', message: says });
    await t.rejects(upload({ ...session, call: async () => true }, options()), {
      message: /expected a path to send to/,
    });
  }
});

// The last: it changes the image's time.
t.test('interruptions', async (t) => {
  const cut = await sessionOver(t, (request) => request.once('data', () => request.socket.destroy()));
  await t.rejects(upload(cut, options()), { code: 'UPLOAD_INTERRUPTED', message: /connection ended \(E[A-Z]+\)/ });
  const mute = await sessionOver(t, (request) => request.resume());
  await t.rejects(upload(mute, options({ deadline: within(100) })), {
    code: 'UPLOAD_INTERRUPTED',
    message: /not done within its time/,
  });
  const touching = await sessionOver(t, (request, response) => request.resume().on('end', () => response.end('{}')));
  const onUpload = (): void => utimesSync(image.path, 1, 1);
  await t.rejects(upload(touching, options({ onUpload })), {
    code: 'BAD_IMAGE',
    message: /changed since it was planned/,
  });
});
