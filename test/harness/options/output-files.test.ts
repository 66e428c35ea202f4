/** Where reports go that the caller names: what is no file of its own is written to, and never replaced. */
import { execFileSync, spawn } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Given } from '../../../harness/options/given.ts';
import { OPTIONS } from '../../../harness/options/options.ts';
import { NO_OUTPUTS, outputFiles } from '../../../harness/options/output-files.ts';
import { writeFormats } from '../../../harness/reporters/formats.ts';
import { PASSED, summary } from '../reporters/summaries.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-output-files-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

const fileOf = (path: string, environment = {}) =>
  outputFiles(new Given(OPTIONS, [`--tap=${path}`], environment), environment).tap;
const write = (path: string, tap: string): readonly string[] =>
  writeFormats({ ...NO_OUTPUTS, tap: fileOf(path) }, { summary: summary([PASSED]), json: () => '', tap });

t.test('a pipe stays a pipe, and its reader has the whole text', async (t) => {
  const pipe = join(dir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  reader.stdout.setEncoding('utf8').on('data', (some: string) => {
    text += some;
  });
  t.same(write(pipe, 'ok 1\n'), []);
  await new Promise((resolve) => reader.once('close', resolve));
  t.equal(text, 'ok 1\n');
  t.ok(lstatSync(pipe).isFIFO());
});

t.test('devices and descriptors are added to, whatever they lead to', async (t) => {
  for (const path of ['/dev/null', '/dev/stdout', '/proc/self/fd/1']) t.match(fileOf(path), { path, append: true });
});

t.test('a link stays, and what it leads to is written anew', async (t) => {
  const [file, link] = [join(dir, 'nights-last.tap'), join(dir, 'link.tap')];
  writeFileSync(file, 'of the night before, and longer than that of today\n');
  symlinkSync(file, link);
  t.same(write(link, 'ok 1\n'), []);
  t.ok(lstatSync(link).isSymbolicLink());
  t.equal(readFileSync(file, 'utf8'), 'ok 1\n');
});

t.test('the page of a CI is added to, a file is written anew, a folder is refused', async (t) => {
  const page = join(dir, 'page.md');
  t.match(fileOf(page, { GITHUB_STEP_SUMMARY: page }), { append: true }, 'also where it is not there yet');
  t.match(fileOf(page), { append: false });
  t.throws(() => fileOf(dir), { message: `--tap: expected a file, given the folder ${dir}` });
  t.throws(() => fileOf(join(dir, 'none', 'x')), { message: /--tap: expected a file that can be written, .*ENOENT/ });
});
