/** Every command as a program: asked for help it tells it and nothing else; called with nothing it says how. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { COMMANDS } from '../../docs/generate/commands.ts';
import { helpText } from '../../help/text.ts';
import { inLanes } from '../lanes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: Record<string, string> };
const LANES = 2;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs what `npm run -s NAME -- ARGS` would. */
function call(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const [program = '', ...own] = (scripts[name] ?? '').split(' ');
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(program === 'node' ? process.execPath : program, [...own, ...args], {
    ...{ cwd: ROOT, env: { PATH, HOME, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
  });
  const ended = { out: '', err: '' };
  child.stdout.on('data', (piece) => (ended.out += piece));
  child.stderr.on('data', (piece) => (ended.err += piece));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...ended }));
  });
}

t.test('--help is all of it, on stdout, with 0, whatever else is wrong beside it', async (t) => {
  const wrong = { BOOTWITNESS_FROBNICATE: 'x', CI: 'true' };
  const ends = inLanes(LANES, COMMANDS, ({ help }) => call(help.name, ['--frobnicate', '--lab', '--help'], wrong));
  for (const [{ help }, end] of ends) {
    t.same(await end, { code: 0, out: helpText(help), err: '' }, help.name);
  }
});

t.test('who calls with nothing, where that is refused, is told two calls to begin with', async (t) => {
  const rows = [
    ['phase9', [], / {2}npm run -s phase9 -- --lab embedded {3}#.*\n {2}npm run -s phase9 -- --lab pool1 --image/],
    ['phase11', ['--label', 'a'], / {2}npm run -s phase11 -- --lab embedded {3}#/],
    ['probe', [], / {2}npm run -s probe -- --ssh 192\.0\.2\.20 --ssh-key ~\/\.ssh\/fruix/],
    ['sweep', [], / {2}npm run -s sweep -- --lab pool1 --dry-run {3}# what would go\n/],
    ['repro', [], /^WORKDIR: expected one, given nothing.*\nFor example:\n {2}npm run -s repro -- \/tmp\//],
  ] as const;
  const ends = inLanes(LANES, rows, ([name, args]) => call(name, args, { CI: 'true' }));
  for (const [[name, , says], end] of ends) t.match(await end, { code: 2, err: says }, name);
  const [near, far] = await Promise.all([call('site', ['--report-dir', 'x']), call('lab', ['--mishp', 'x'])]);
  t.match(near, { code: 2, err: /^--report-dir: unknown option; did you mean --reports-dir\? Run with --help/ });
  t.notMatch(near.err, /For example/, 'who gave something is told one sentence');
  t.match(far, { code: 2, err: /--mishp: unknown option; did you mean --mishap\?\n$/ });
});
