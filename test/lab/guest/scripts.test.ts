/** The guest's shell scripts are POSIX sh; shellcheck says so where it is installed. */
import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const FILES = fileURLToPath(new URL('../../../lab/guest/files', import.meta.url));

const entries = await readdir(FILES, { recursive: true, withFileTypes: true });
const scripts: string[] = [];
for (const entry of entries.filter((each) => each.isFile())) {
  const path = join(entry.parentPath, entry.name);
  if ((await readFile(path, 'utf8')).startsWith('#!/bin/sh\n')) scripts.push(path);
}

t.ok(scripts.length >= 10, `${scripts.length} scripts`);

t.test('dash parses each', async (t) => {
  for (const script of scripts) {
    const { status, stderr } = spawnSync('sh', ['-n', script], { encoding: 'utf8' });
    t.equal(status, 0, `${script} ${stderr}`);
  }
});

const has = spawnSync('shellcheck', ['--version']).status === 0;
t.test('shellcheck', { skip: has ? false : 'shellcheck is not installed' }, async (t) => {
  const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', ...scripts], { encoding: 'utf8' });
  t.equal(status, 0, stdout);
});
