/**
 * Every way to name Xen Orchestra, and every way to check its certificate, through a whole run: sign-in, upload,
 * reading back and console. What is recorded of it stands in the report.
 */
import t from 'tap';
import { listen } from '../harness/xcpng/listening.ts';
import { inLanes } from '../lanes.ts';
import { selfSigned, tlsFront } from '../tls-front.ts';
import { type Play, type Played, witness } from './witness.ts';

const LANES = 4;
const shown = await selfSigned(t);
const heard = new Map<string, Buffer[]>();

interface Row {
  readonly name: string;
  readonly scheme: 'http' | 'https' | 'ws' | 'wss';
  readonly slash?: true;
  /** Speaks TLS to a plain port. */
  readonly plainPort?: true;
  readonly args?: readonly string[];
  readonly labFile?: Play['labFile'];
  /** What metadata.txt says of the certificate. */
  readonly tls: string;
  /** Fault code; none: PASS. */
  readonly fault?: string;
  readonly says?: RegExp;
}

const inTable = (line: string): Play['labFile'] => {
  return (text) => text.replace('\ntoken_file = ', `\n${line}\ntoken_file = `);
};
const colons = shown.sha256.toUpperCase().replace(/..(?=.)/g, '$&:');
const WRONG = '0'.repeat(64);

const ROWS: readonly Row[] = [
  { name: 'http', scheme: 'http', tls: 'plain' },
  { name: 'ws with a slash', scheme: 'ws', slash: true, tls: 'plain' },
  { name: 'https by CA file', scheme: 'https', args: ['--xo-ca-file', shown.certPath], tls: 'ca' },
  {
    name: 'wss with a slash by CA file',
    scheme: 'wss',
    slash: true,
    args: ['--xo-ca-file', shown.certPath],
    tls: 'ca',
  },
  {
    name: 'https with a slash, pinned',
    scheme: 'https',
    slash: true,
    args: ['--xo-fingerprint', colons],
    tls: 'fingerprint',
  },
  {
    name: 'wss, pinned in the lab file',
    scheme: 'wss',
    labFile: inTable(`fingerprint = "${shown.sha256}"`),
    tls: 'fingerprint',
  },
  { name: 'https, insecure', scheme: 'https', args: ['--xo-insecure'], tls: 'insecure' },
  { name: 'wss, insecure in the lab file', scheme: 'wss', labFile: inTable('insecure = true'), tls: 'insecure' },
  {
    name: 'nothing said',
    scheme: 'https',
    tls: 'ca',
    fault: 'XO_CERTIFICATE_UNTRUSTED',
    says: new RegExp(shown.sha256),
  },
  {
    ...{ name: 'pinned to another', scheme: 'wss', args: ['--xo-fingerprint', WRONG], tls: 'fingerprint' },
    ...{ fault: 'XO_CERTIFICATE_CHANGED', says: new RegExp(`expected .*0{64}, given ${shown.sha256}`) },
  },
  { name: 'TLS to a port that speaks plainly', scheme: 'https', plainPort: true, tls: 'ca', fault: 'XO_UNREACHABLE' },
  { name: 'plain to a port that speaks TLS', scheme: 'http', tls: 'plain', fault: 'XO_UNREACHABLE' },
];

const toTls = ({ scheme, plainPort, fault }: Row): boolean =>
  plainPort !== true && (/s$/.test(scheme) && scheme !== 'ws' ? true : fault !== undefined);

const play = (row: Row): Play => ({
  ...(row.labFile ? { labFile: row.labFile } : {}),
  before: async ({ lab }) => {
    const plain = Number(new URL(lab.url).port);
    const pieces: Buffer[] = [];
    heard.set(row.name, pieces);
    const port = toTls(row)
      ? await listen(
          t,
          tlsFront(shown, plain, (piece) => pieces.push(piece)),
        )
      : plain;
    const url = `${row.scheme}://127.0.0.1:${port}${row.slash ? '/' : ''}`;
    return ['--xo-url', url, '--read-back', 'always', ...(row.args ?? [])];
  },
});

const outcomes = inLanes<Row, Played>(LANES, ROWS, (row) => witness(play(row)));
for (const row of ROWS) {
  t.test(row.name, async (t) => {
    const played = await outcomes.get(row);
    if (played === undefined) throw new Error('not run');
    const { metadata, stdout, stderr } = played;
    t.equal(metadata.get('fault'), row.fault ?? 'none', stderr);
    t.equal(played.code, row.fault === undefined ? 0 : 3);
    t.equal(metadata.get('tls'), row.tls);
    t.equal(JSON.parse(played.file('result.json')).tls, row.tls);
    for (const [where, text] of Object.entries({ stdout, stderr })) {
      t.equal(/WARNING: .*certificate was not checked/.test(text), row.tls === 'insecure', `${where} warns, or not`);
    }
    if (row.says) t.match(metadata.get('reason'), row.says);
    t.same(played.left, []);
    const bytes = Buffer.concat(heard.get(row.name) ?? []);
    if (row.fault !== undefined) t.equal(bytes.length, 0, 'not a byte was sent to whom is not believed');
    else if (toTls(row)) {
      t.match(
        bytes.toString('latin1'),
        /GET \/api\/ [\s\S]*POST \/rest\/[\s\S]*GET \/rest\//,
        'all of it went that way',
      );
    }
  });
}

t.test('how the disk came in is recorded: way, bytes, seconds, throughput', async (t) => {
  const played = await outcomes.get(ROWS[0] as Row);
  if (played === undefined) throw new Error('not run');
  const { metadata } = played;
  const { path, bytes, ms, mibPerS } = JSON.parse(played.file('result.json')).result.imported;
  t.equal(metadata.get('import_path'), 'rest-post-vdis');
  t.equal(path, 'rest-post-vdis');
  t.ok(bytes > 4_000_000 && ms > 0);
  t.equal(metadata.get('import_bytes'), String(bytes));
  t.equal(metadata.get('import_seconds'), (ms / 1000).toFixed(3));
  t.equal(metadata.get('import_mib_per_s'), mibPerS.toFixed(3));
  t.ok(Math.abs(mibPerS - bytes / 2 ** 20 / (ms / 1000)) < 0.01, `${mibPerS} MiB/s`);
});
