/** Secrets are planted wherever one can be given; afterwards everything written or printed is searched. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { startLab } from '../lab-process.ts';
import { type Outcome, runPhase, workdirRoot } from '../phase-process.ts';

const root = workdirRoot(t);
const dir = mkdtempSync(join(tmpdir(), 'bw-secrets-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

function everything(outcome: Outcome): ReadonlyMap<string, string> {
  const texts = new Map([
    ['stdout', outcome.stdout],
    ['stderr', outcome.stderr],
  ]);
  if (!existsSync(outcome.workdir)) return texts;
  for (const entry of readdirSync(outcome.workdir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) texts.set(entry.name, readFileSync(join(entry.parentPath, entry.name), 'latin1'));
  }
  return texts;
}

const spellings = (secret: string): readonly string[] => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64'),
  Buffer.from(secret).toString('hex'),
];

t.test('a run that passes writes the token and the key nowhere', async (t) => {
  const lab = await startLab('--backend', 'simulated');
  t.teardown(() => lab.stop());
  const token = readFileSync(lab.tokenFile, 'utf8').trim();
  const labFile = readFileSync(lab.labFile, 'utf8');
  const keyFile = /^key = "(.*)"$/m.exec(labFile)?.[1] ?? '';
  const keyLine = readFileSync(keyFile, 'utf8').split('\n')[2] ?? '';
  const outcome = await runPhase('phase9', root, ['--lab', lab.labFile], {
    environment: { BOOTWITNESS_XO_TOKEN: token },
  });
  t.equal(outcome.code, 0, outcome.stderr);
  const texts = everything(outcome);
  t.ok(texts.size >= 7, `looked at ${[...texts.keys()].join(', ')}`);
  for (const [name, text] of texts) {
    for (const secret of [...spellings(token), keyLine]) t.notOk(text.includes(secret), `${name} is clean`);
  }
});

t.test('a run that fails on the secret itself does not show it', async (t) => {
  const lab = await startLab('--backend', 'simulated');
  t.teardown(() => lab.stop());
  const secret = 'planted"secret/in+the=environment';
  const wrong = await runPhase('phase9', root, ['--lab', lab.labFile], {
    environment: { BOOTWITNESS_XO_TOKEN: secret },
  });
  t.equal(wrong.code, 3, wrong.stderr);
  const url = await runPhase('phase9', root, ['--xo-url', 'http://root:planted-password@127.0.0.1:9/x']);
  t.equal(url.code, 2, url.stderr);
  writeFileSync(join(dir, 'token'), 'planted token with blanks');
  const file = await runPhase('phase9', root, ['--lab', lab.labFile, '--xo-token-file', join(dir, 'token')]);
  t.equal(file.code, 2, file.stderr);
  for (const outcome of [wrong, url, file]) {
    for (const [name, text] of everything(outcome)) {
      for (const spelling of spellings(secret)) t.notOk(text.includes(spelling), `${name} is clean`);
      t.notMatch(text, /planted[" -](?:secret|password|token)/, `${name} is clean`);
    }
  }
});
