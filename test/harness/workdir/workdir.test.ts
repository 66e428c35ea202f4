import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Evidence } from '../../../harness/workdir/evidence.ts';
import { openJournal } from '../../../harness/workdir/journal.ts';
import { Secret } from '../../../harness/workdir/secrets.ts';
import { makeWorkdir, writeWhole } from '../../../harness/workdir/workdir.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-workdir-'));
t.teardown(() => rmSync(root, { recursive: true }));

t.test('a taken name is one second later', async (t) => {
  t.equal(makeWorkdir(root, 'phase9', 1775143001), join(root, 'phase9-1775143001'));
  t.equal(makeWorkdir(root, 'phase9', 1775143001), join(root, 'phase9-1775143002'));
});

t.test('a root that is not there is misuse', async (t) => {
  t.throws(() => makeWorkdir(join(root, 'nowhere'), 'x', 1), { code: 'BAD_WORKDIR' });
});

t.test('a file is whole or absent, and nothing stays beside it', async (t) => {
  const dir = makeWorkdir(root, 'whole', 1);
  writeWhole(join(dir, 'metadata.txt'), 'a=b\n');
  t.equal(readFileSync(join(dir, 'metadata.txt'), 'utf8'), 'a=b\n');
  t.same(readdirSync(dir).sort(), ['console', 'metadata.txt']);
  t.throws(() => writeWhole(join(dir, 'missing', 'metadata.txt'), 'a=b\n'));
  t.notOk(existsSync(join(dir, 'missing')));
});

t.test('journal and evidence are on disk when the call returns, and never hold a secret', async (t) => {
  const dir = makeWorkdir(root, 'records', 1);
  new Secret('planted-secret-1');
  const journal = openJournal(dir);
  journal({ event: 'intent', what: 'VM', url: 'planted-secret-1' });
  const evidence = new Evidence(dir);
  t.equal(evidence.record('lab', 'a', { token: 'planted-secret-1' }), 'evidence.ndjson#1');
  t.equal(evidence.record('lab', 'b', { fine: true }), 'evidence.ndjson#2');
  for (const file of ['journal.ndjson', 'evidence.ndjson']) {
    const text = readFileSync(join(dir, file), 'utf8');
    t.notMatch(text, /planted/);
    for (const line of text.trim().split('\n')) t.type(JSON.parse(line), 'object');
  }
  t.throws(() => new Evidence(dir), 'evidence of another run is never appended to');
  evidence.close();
});

t.test('what a full disk took of a line is taken back, and the machine is to blame', async (t) => {
  const dir = makeWorkdir(root, 'full', 1);
  // A process of its own: the limit is this process's for good. 60 bytes: the second line is cut in its middle.
  const module = new URL('../../../harness/workdir/line-file.ts', import.meta.url).href;
  const script = `
    const { LineFile } = await import(${JSON.stringify(module)});
    const file = new LineFile(${JSON.stringify(join(dir, 'evidence.ndjson'))});
    file.append('a'.repeat(39));
    try { file.append('b'.repeat(39)); } catch (error) { console.log(error.code, error.party); }
    file.append('c'.repeat(9));
    file.close();`;
  const args = ['--fsize=60', process.execPath, '--import', import.meta.resolve('tsx'), '--input-type=module', '-e'];
  t.equal(execFileSync('prlimit', [...args, script], { encoding: 'utf8' }), 'OUTPUT_UNWRITABLE machine\n');
  t.equal(readFileSync(join(dir, 'evidence.ndjson'), 'utf8'), `${'a'.repeat(39)}\n${'c'.repeat(9)}\n`);
});

t.test('evidence that somebody removed is missing', async (t) => {
  const dir = makeWorkdir(root, 'removed', 1);
  const evidence = new Evidence(dir);
  evidence.record('lab', 'a', {});
  rmSync(join(dir, 'evidence.ndjson'));
  t.throws(() => evidence.close(), { code: 'OUTPUT_UNWRITABLE', party: 'machine' });
  t.match(evidence.missing, { code: 'OUTPUT_UNWRITABLE' });
});
