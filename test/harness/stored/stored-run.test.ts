/** A stored run is read as it was written; what is damaged, foreign or newer is refused in one sentence. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readStoredRun } from '../../../harness/stored/stored-run.ts';
import { evidenceLine, SAMPLE, storeSample } from './sample.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-stored-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));
let copies = 0;

/** A workdir with one file changed; null removes it. */
function changed(file: string, change: (text: string) => string | null): string {
  const workdir = storeSample(root, `changed-${++copies}`);
  const after = change(readFileSync(join(workdir, file), 'utf8'));
  if (after === null) rmSync(join(workdir, file));
  else writeFileSync(join(workdir, file), after);
  return workdir;
}

const json = (change: (result: Record<string, unknown>) => void): string =>
  changed('result.json', (text) => {
    const result = JSON.parse(text) as Record<string, unknown>;
    change(result);
    return JSON.stringify(result);
  });

t.test('everything that a report holds comes back, whichever of its files is named', async (t) => {
  const workdir = storeSample(root, 'whole');
  for (const path of [workdir, join(workdir, 'result.json'), join(workdir, 'metadata.txt'), `${workdir}/`]) {
    const { report, notes, metadata, evidence, journal, console, folder } = await readStoredRun(path);
    const { verdict, image, result, ...rest } = SAMPLE;
    const { blocks, ...imageRest } = image ?? { blocks: [] };
    const { verdict: _, kept: __, ...resultRest } = result ?? { verdict, kept: null };
    t.same(report, {
      ...{ ...rest, workdir, schema: 2, status: 'PASS', cause: null, checks: verdict.checks },
      ...{ image: { ...imageRest, nonZeroBlocks: blocks.length }, result: resultRest },
    });
    t.same(notes, []);
    t.equal(metadata.get('result'), 'PASS');
    t.equal(evidence.lines.length, 2);
    t.same(journal, [{ at: '2026-04-02T00:00:00.000Z', event: 'intent', what: 'VM' }], 'the half line is left out');
    t.same([...console], [['serial.txt', 'login:\n']]);
    t.equal(folder, workdir);
  }
});

t.test('a folder with one workdir in it is that workdir, with two it is refused', async (t) => {
  const folder = join(root, 'around');
  mkdirSync(folder);
  cpSync(storeSample(root, 'inner'), join(folder, 'one'), { recursive: true });
  t.equal((await readStoredRun(folder)).folder, join(folder, 'one'));
  cpSync(join(folder, 'one'), join(folder, 'two'), { recursive: true });
  await t.rejects(readStoredRun(folder), {
    code: 'BAD_STORED_RUN',
    message: /given .*around, a folder with 2 workdirs/,
  });
});

t.test('metadata.txt alone gives what stands in it, and says that it is alone', async (t) => {
  const workdir = changed('result.json', () => null);
  rmSync(join(workdir, 'evidence.ndjson'));
  const { report, notes } = await readStoredRun(join(workdir, 'metadata.txt'));
  t.match(report, {
    ...{ schema: 0, status: 'PASS', runId: 'r-1', boots: 2, budgetScale: 2, cause: null, asked: null, tls: 'ca' },
    image: { path: '/home/u/fruix.raw', sha256: 'cd'.repeat(32), format: 'raw', sizeBytes: 4_194_304 },
    lab: { name: 'pool1', kind: 'xo', xoVersion: '5.207.2' },
    expectedClosure: '/frx/store/x',
  });
  t.match(notes, [/only metadata\.txt/, /there is no evidence/]);
});

t.test('what is escaped in metadata.txt comes back', async (t) => {
  const given = 'a\\nb\nresult=PASS\r\t\u2028\u0000';
  const check = { ...SAMPLE.verdict, status: 'PASS' as const };
  const forged = [{ ...check.checks[0], name: 'x', actual: given }] as never;
  const workdir = storeSample(root, 'escaped', { verdict: { status: 'PASS', checks: forged } });
  t.equal((await readStoredRun(workdir)).metadata.get('x'), given);
});

t.test('what is older, cut or missing is said', async (t) => {
  const old = json((result) => {
    result.schema = 1;
    delete result.asked;
  });
  t.match((await readStoredRun(old)).notes, [/schema 1, older than 2/]);
  const cut = changed('evidence.ndjson', () => `${evidenceLine(1, 'lab', 'x')}{"sequence":2,"at`);
  const torn = await readStoredRun(cut);
  t.match(torn.notes, [/line 2 of evidence\.ndjson is damaged/]);
  t.equal(torn.evidence.lines.length, 1);
  const gap = changed('evidence.ndjson', () => evidenceLine(1, 'lab', 'x') + evidenceLine(3, 'judged', 'verdict'));
  t.match((await readStoredRun(gap)).notes, [/line 2 of evidence/]);
  const early = changed('evidence.ndjson', () => evidenceLine(1, 'lab', 'x'));
  t.match((await readStoredRun(early)).notes, [/ends after 1 lines, before the verdict/]);
  t.match((await readStoredRun(changed('metadata.txt', () => null))).notes, [/no metadata\.txt/]);
});

t.test('a version that did not know every place of the guest is no damage', async (t) => {
  const workdir = json(({ asked }) => {
    const { facts } = asked as { facts: { paths: Record<string, unknown> } };
    delete facts.paths.herd;
    facts.paths.unheard = 'x';
  });
  const paths = (await readStoredRun(workdir)).report.asked?.facts?.paths ?? {};
  t.notOk('herd' in paths || 'unheard' in paths);
  t.equal(paths.store, '/frx/store');
});

t.test('an image and a way in of which an older version said less are read', async (t) => {
  const workdir = json((result) => {
    delete (result.image as { format?: string }).format;
    const { imported } = result.result as { imported: Record<string, unknown> };
    for (const key of ['mibPerS', 'readBack', 'cache', 'entry']) delete imported[key];
  });
  t.match((await readStoredRun(workdir)).report, {
    image: { format: 'raw' },
    result: { imported: { mibPerS: 0, readBack: false, cache: 'off', entry: null } },
  });
});

const refusals: readonly (readonly [string, () => string, RegExp])[] = [
  ['nothing there', () => join(root, 'nowhere'), /expected a workdir, .* given .*nowhere, which is not there/],
  ['an empty folder', () => mkdtempSync(join(root, 'empty-')), /given .*, a folder with neither of them/],
  ['another file', () => join(storeSample(root, 'other'), 'evidence.ndjson'), /given the file .*evidence\.ndjson/],
  ['a newer version', () => json((result) => (result.schema = 99)), /schema 2 or older, given 99 \(written by harness/],
  ['half a file', () => changed('result.json', (text) => text.slice(0, 900)), /result\.json: expected JSON/],
  ['somebody else’s JSON', () => changed('result.json', () => '{"name":"x"}'), /schema: expected a number, given noth/],
  ['no object', () => changed('result.json', () => '[1]'), /expected an object, given \[1\]/],
  ['two verdicts', () => json((result) => (result.status = 'FAIL')), /status: expected PASS, as its verdict says/],
  [
    'a PASS with a cause',
    () => json(({ verdict }) => Object.assign(verdict as object, { cause: {} })),
    /verdict: cause: expected none for a PASS/,
  ],
  ['a field of another kind', () => json((result) => (result.seconds = '1')), /seconds: expected a number, given "1"/],
  [
    'damage deep inside',
    () => json(({ result }) => ((result as { timeline: object[] }).timeline[1] = { stage: 1 })),
    /result: timeline\[1\]: stage: expected a text, given 1/,
  ],
  [
    'files of two runs',
    () => changed('metadata.txt', (text) => text.replace('run_id=r-1', 'run_id=r-2')),
    /expected files of one run, given run r-1 in result\.json and r-2/,
  ],
  ['cut metadata', () => changed('metadata.txt', (text) => text.slice(0, -3)), /expected lines with an end/],
  ['a forged key', () => changed('metadata.txt', (text) => `${text}result=PASS\n`), /expected result once/],
  ['no metadata', () => changed('metadata.txt', () => 'hello\n'), /line 1: expected key=value, given "hello"/],
  ['metadata of others', () => changed('metadata.txt', () => 'a=b\n'), /expected metadata of a run of this harness/],
  ['a run that was killed', () => killed(), /whose run has not ended, or was killed/],
];

function killed(): string {
  const workdir = changed('result.json', () => null);
  rmSync(join(workdir, 'metadata.txt'));
  return workdir;
}

for (const [name, make, message] of refusals) {
  t.test(`refused: ${name}`, async (t) => {
    await t.rejects(readStoredRun(make()), { code: 'BAD_STORED_RUN', message });
  });
}
