/** The end of the job, however it has come. Credentials are in the environment of the step. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const workspace = process.env.GITHUB_WORKSPACE ?? '.';
const nights = resolve(workspace, process.env.INPUT_NIGHTS ?? '');
const bootwitness = fileURLToPath(new URL('../../..', import.meta.url));
const { status, error } = spawnSync('npm', ['run', '-s', 'sweep', '--', '--nights', nights], {
  cwd: bootwitness,
  stdio: 'inherit',
});
if (error) console.error(`npm could not be started: ${error.message}`);
process.exitCode = status ?? 1;
if (process.env.INPUT_REMOVE) rmSync(resolve(workspace, process.env.INPUT_REMOVE), { force: true });
