/** Secrets are planted wherever one can stand: none of them is in the pack, and a pack is read like its workdir. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { pack as packCommand } from '../../../harness/commands/pack.ts';
import { Given } from '../../../harness/options/given.ts';
import { pack } from '../../../harness/pack/pack.ts';
import { learnSecrets } from '../../../harness/pack/secrets-at-hand.ts';
import { archive } from '../../../harness/stored/archive.ts';
import { readStoredRun, type StoredRun } from '../../../harness/stored/stored-run.ts';
import { callCommand } from '../../command-call.ts';
import { evidenceLine, SAMPLE, storeSample } from '../stored/sample.ts';

const root = mkdtempSync(join(tmpdir(), 'bw-pack-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

const secrets = {
  token: 'k3Vq-planted_token"of/the+lab=43characters',
  password: 'planted password with blanks',
  passphrase: 'planted:passphrase@/',
  ci: 'planted-token-of-the-ci-0123456789',
  proxy: 'planted-password-of-a-proxy',
};
const key = (() => {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(root, 'id')]);
  return readFileSync(join(root, 'id'), 'utf8');
})();
const keyLine = key.split('\n')[2] ?? '';
const url = 'https://root:planted-url-password@xo.example.org/rest';

/** The lab file of the run, with everything that such a file can name. */
function plantedLab(): string {
  writeFileSync(join(root, 'token'), `${secrets.token}\n`);
  writeFileSync(join(root, 'password'), secrets.password);
  writeFileSync(join(root, 'passphrase'), secrets.passphrase);
  const file = join(root, 'lab.toml');
  const named = 'token_file = "token"\npassword_file = "password"\n';
  writeFileSync(
    file,
    `[xo]\n${named}token = "in-the-file-itself-planted"\n[ssh]\nkey = "id"\npassphrase_file = "passphrase"\n`,
  );
  return file;
}

const environment = {
  BOOTWITNESS_XO_TOKEN: 'planted-in-our-own-variable',
  CI_JOB_TOKEN: secrets.ci,
  HTTPS_PROXY: `http://user:${secrets.proxy}@proxy.example.org:3128`,
};

const everywhere = [
  ...[...Object.values(secrets), keyLine, key, url, 'in-the-file-itself-planted', 'planted-in-our-own-variable'],
];

let count = 0;
/** A workdir in whose every file every secret stands. */
function planted(): string {
  const name = `sown-${++count}`;
  const workdir = storeSample(root, name, { asked: { ...SAMPLE.asked, labFile: plantedLab() } });
  const said = everywhere.join('\n');
  const line = (kind: string): string =>
    `${JSON.stringify({ kind, said, nested: { list: [said], password: 'hunter2' } })}\n`;
  appendFileSync(join(workdir, 'console', 'serial.txt'), `${said}\nlogin:\n`);
  appendFileSync(join(workdir, 'journal.ndjson'), `\n${line('journal')}{"half": "${secrets.ci}`);
  writeFileSync(join(workdir, 'log.ndjson'), line('log'));
  const told = everywhere.map((secret) => `@00\tfact\t${Buffer.from(secret).toString('hex')}`).join('\n');
  writeFileSync(
    join(workdir, 'evidence.ndjson'),
    evidenceLine(1, 'command', 'x', { stdout: `${told}\n${said}` }) + evidenceLine(2, 'judged', 'verdict'),
  );
  mkdirSync(join(workdir, 'evidence'));
  writeFileSync(join(workdir, 'evidence', 'operator_home_listing.txt'), said);
  return workdir;
}

const spellings = (secret: string): readonly string[] => [
  ...[secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)],
  ...[Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('hex')],
];

/** Unpacked by the system's own tar. @returns files by name from the top folder on */
function unpack(file: string): ReadonlyMap<string, string> {
  const folder = mkdtempSync(join(root, 'unpacked-'));
  execFileSync('tar', ['xzf', file, '-C', folder]);
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(entries.map((each) => [each.name, readFileSync(join(each.parentPath, each.name), 'latin1')]));
}

async function packed(workdir: string, ...args: readonly string[]) {
  const file = join(root, `out-${++count}.tar.gz`);
  const given = [workdir, '--out', file, ...args];
  return { file, ...(await callCommand(packCommand, ...given)) };
}

async function learnt(workdir: string): Promise<StoredRun> {
  const run = await readStoredRun(workdir);
  const given = new Given(packCommand.options, [workdir], environment, 'WORKDIR');
  t.same(learnSecrets(run.report, given, environment), []);
  return run;
}

t.test('no planted secret is in the pack, in no spelling, of no file', async (t) => {
  const workdir = planted();
  const before = new Map([...unpackedFolder(workdir)]);
  for (const secret of everywhere)
    t.ok(
      [...before.values()].some((text) => text.includes(secret.slice(0, 20))),
      'planted',
    );
  const run = await learnt(workdir);
  const file = join(root, 'all.tar.gz');
  const { bytes, files } = await pack(run, 'x');
  writeFileSync(file, bytes);
  const texts = unpack(file);
  t.same([...texts.keys()].sort(), [
    ...['evidence.ndjson', 'journal.ndjson', 'log.ndjson', 'metadata.txt', 'operator_home_listing.txt', 'pack.json'],
    ...['repro.json', 'result.json', 'serial.txt'],
  ]);
  for (const [name, text] of texts) {
    for (const secret of everywhere) {
      for (const spelling of spellings(secret))
        t.notOk(text.includes(spelling), `${name} is clean of ${secret.slice(0, 9)}`);
    }
    t.notMatch(text, /hunter2|planted/, `${name}: nothing of it is left`);
  }
  t.ok(files.filter((each) => each.masked > 0).length >= 5, 'said by file');
  t.same(new Map([...unpackedFolder(workdir)]), before, 'the workdir is left as it is');
  t.match((await readStoredRun(file)).notes, [/secrets were masked when it was packed: \d+ in console\/serial\.txt/]);
});

function unpackedFolder(folder: string): readonly (readonly [string, string])[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((each) => [each.name, readFileSync(join(each.parentPath, each.name), 'latin1')] as const);
}

t.test('the same run gives the same bytes, and is the same run wherever it lies', async (t) => {
  const workdir = storeSample(root, `same-${++count}`);
  const [first, second] = [await packed(workdir), await packed(workdir)];
  t.equal(first.code, 0, first.stderr);
  t.match(first.stdout, /out-\d+\.tar\.gz: 6 files, \d KiB\nmasked: nothing\n$/);
  t.ok(readFileSync(first.file).equals(readFileSync(second.file)));
  const folder = mkdtempSync(join(root, 'there-'));
  execFileSync('tar', ['xzf', first.file, '-C', folder]);
  const [top = ''] = readdirSync(folder);
  t.equal(top, `same-${count - 2}`, 'as its workdir was called');
  const there = join(folder, top);
  const original = await readStoredRun(workdir);
  for (const path of [first.file, folder, there, join(there, 'result.json')]) {
    const { report, notes, evidence, console } = await readStoredRun(path);
    t.same([report, notes, evidence, console], [original.report, [], original.evidence, original.console]);
  }
  t.equal((await packed(first.file)).code, 0, 'a pack can be packed');
});

t.test('what no run writes is left out and said; pictures are packed and said; links are not followed', async (t) => {
  const workdir = storeSample(root, `more-${++count}`);
  writeFileSync(join(workdir, 'notes of mine.txt'), 'x');
  writeFileSync(join(workdir, 'console', '001-boot.png'), Buffer.from([1, 2, 3]));
  symlinkSync(join(root, 'id'), join(workdir, 'console', 'link.txt'));
  const { code, stdout, file } = await packed(workdir);
  t.equal(code, 0);
  t.match(
    stdout,
    /left out, no files of a run: notes of mine\.txt\npictures, packed as they are: console\/001-boot\.png/,
  );
  t.notOk(unpack(file).has('link.txt'));
});

t.test('a pack that was changed, or is none, is refused in one sentence', async (t) => {
  const workdir = storeSample(root, `refused-${++count}`);
  const { file } = await packed(workdir);
  const whole = readFileSync(file);
  const write = (name: string, bytes: Buffer): string => {
    writeFileSync(join(root, name), bytes);
    return join(root, name);
  };
  const refusals: readonly (readonly [string, RegExp])[] = [
    [write('half.tar.gz', whole.subarray(0, whole.length / 2)), /half\.tar\.gz, which is damaged, or no archive/],
    [write('none.tar.gz', await archive('x', new Map())), /which holds no file/],
    [write('other.tar.gz', await archive('x', new Map([['a', Buffer.from('b')]]))), /an archive with neither of them/],
    [write('out.tar.gz', await archive('..', new Map([['a', Buffer.from('b')]]))), /which holds "\.\.\/a"/],
  ];
  for (const [path, message] of refusals) await t.rejects(readStoredRun(path), { code: 'BAD_STORED_RUN', message });
  const folder = mkdtempSync(join(root, 'changed-'));
  execFileSync('tar', ['xzf', file, '-C', folder, '--strip-components=1']);
  appendFileSync(join(folder, 'console', 'serial.txt'), 'x');
  await t.rejects(readStoredRun(folder), {
    message: /console\/serial\.txt: expected the file that was packed, .* changed/,
  });
  rmSync(join(folder, 'console', 'serial.txt'));
  await t.rejects(readStoredRun(folder), { message: /it is not there/ });
});

t.test('the command: nothing is overwritten; what cannot be looked into is said', async (t) => {
  const workdir = storeSample(root, `said-${++count}`);
  const { file, stderr } = await packed(workdir);
  t.match(
    stderr,
    /note: \/home\/u\/labs\/pool1\.toml cannot be read here: secrets that it names are masked only where/,
  );
  const again = await callCommand(packCommand, workdir, '--out', file);
  t.match(again, { code: 2, stderr: /--out: expected a file to be made, given one that is there already/ });
  const nowhere = await callCommand(packCommand, workdir, '--out', join(root, 'no', 'where'));
  t.match(nowhere, { code: 2, stderr: /given one that cannot be made/ });
  t.match(await callCommand(packCommand), { code: 2, stderr: /WORKDIR: expected one, given nothing/ });
});
