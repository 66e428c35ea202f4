/** The doctor as people and CIs call it: what it prints, its exit codes, and that it leaves a lab as it was. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startLab } from '../lab-process.ts';
import { ownEnvironment } from '../phase-process.ts';

const ENTRY = fileURLToPath(new URL('../../doctor.ts', import.meta.url));

async function doctor(...args: readonly string[]) {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), ENTRY, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: ownEnvironment(),
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

t.test('a lab that is well, with a write test, for people and for machines', async (t) => {
  const lab = await startLab('--backend', 'simulated');
  t.teardown(() => lab.stop());
  const sr = 'sr:Embedded local storage';
  const [plain, json] = await Promise.all([
    doctor('--lab', lab.labFile, '--write-test', sr),
    doctor('--lab', lab.labFile, '--json'),
  ]);
  t.equal(plain.code, 0, plain.err);
  t.match(plain.out, /^ok {7}xo-version {7}xo-server /m);
  t.match(plain.out, /^ok {7}write-test-zeros the 2 blocks that were left out read as zeros$/m);
  t.match(plain.out, /\d+ ok, 0 warning, 0 broken, 1 unknown\n$/);
  t.equal(json.code, 0, json.err);
  const { schema, findings } = JSON.parse(json.out) as { schema: number; findings: { name: string }[] };
  t.equal(schema, 1);
  t.equal(new Set(findings.map(({ name }) => name)).size, findings.length, 'each name once');
});

t.test('a lab that is not: exit code 3, with the remedy', async (t) => {
  const lab = await startLab('--backend', 'simulated', '--mishap', 'sr-detached');
  t.teardown(() => lab.stop());
  const { code, out } = await doctor('--lab', lab.labFile);
  t.equal(code, 3);
  t.match(out, /^broken {3}sr-space {9}SR_UNUSABLE: .*\n {25} → /m);
});

t.test('misuse', async (t) => {
  const trials: readonly (readonly [readonly string[], RegExp])[] = [
    [['--write-test', 'everything'], /^--write-test: expected sr:NAME, or vdi: and the uuid/m],
    [['--lab', 'nowhere'], /nowhere\.toml/],
    [['--frobnicate'], /^--frobnicate: unknown option/m],
  ];
  for (const [args, says] of trials) {
    const { code, err, out } = await doctor(...args);
    t.equal(code, 2, err);
    t.match(err, says);
    t.equal(out, '');
  }
});
