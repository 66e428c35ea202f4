/** Uploads are streamed: a body far larger than what may stay in memory passes, and reads back. */
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import t from 'tap';
import { testEndpoint } from '../contract/open-endpoint.ts';

const MIB = 2 ** 20;
const BODY_MIB = 256;
const GROWTH_MAX = 128 * MIB;

t.test('a large body', async (t) => {
  const { url, token, the, until, rest } = await testEndpoint(t);
  const sr = await the({ type: 'SR' });
  const piece = randomBytes(MIB);
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 10);
  const headers = {
    cookie: `authenticationToken=${token}`,
    'content-type': 'application/octet-stream',
    'content-length': BODY_MIB * MIB,
  };
  const outgoing = request(`${url}/rest/v0/srs/${sr.id}/vdis?raw=true`, { method: 'POST', headers });
  const answered = new Promise<number | undefined>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
  });
  await pipeline(Readable.from(Array.from({ length: BODY_MIB }, () => piece)), outgoing);
  t.equal(await answered, 201);
  clearInterval(watch);
  t.ok(peak - before < GROWTH_MAX, `${Math.round((peak - before) / MIB)} MiB more in memory for ${BODY_MIB} MiB`);
  await until({ type: 'VDI' }, (found) => found.length === 1);
  const { id } = await the({ type: 'VDI' });
  const wanted = createHash('sha256');
  for (let sent = 0; sent < BODY_MIB; sent++) wanted.update(piece);
  const given = createHash('sha256').update((await rest(`/rest/v0/vdis/${id}.raw`)).body);
  t.equal(given.digest('hex'), wanted.digest('hex'));
});
