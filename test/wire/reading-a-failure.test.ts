/**
 * docs/reading-a-failure.md shows what is printed: each example is played again, on simulated guests, and compared with
 * the page, times and ids made neutral. `node --import tsx <this file> --write` puts what is printed into the page.
 */
import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { compare } from '../../harness/commands/compare.ts';
import { pack } from '../../harness/commands/pack.ts';
import { rejudge } from '../../harness/commands/rejudge.ts';
import type { Scenario } from '../../harness/model.ts';
import {
  COMPARE_OPTIONS,
  DOCTOR_OPTIONS,
  LINT_OPTIONS,
  PACK_OPTIONS,
  PROBE_OPTIONS,
  REJUDGE_OPTIONS,
  REPRO_OPTIONS,
  SWEEP_OPTIONS,
} from '../../harness/options/command-options.ts';
import { OPTIONS, type Option } from '../../harness/options/options.ts';
import { phase9XcpngBoot } from '../../scenarios/phase9-xcpng-boot.ts';
import { callCommand } from '../command-call.ts';
import { inLanes } from '../lanes.ts';
import { type Backstage, type Play, witness } from './witness.ts';

const PAGE = fileURLToPath(new URL('../../docs/reading-a-failure.md', import.meta.url));
const WRITES = process.argv.includes('--write');
const root = mkdtempSync(join(tmpdir(), 'bw-reading-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

/** One image for all, as somebody has it: the labs' own would be another one in each. */
const image = join(root, 'fruix.raw');
const ownImage = async ({ lab }: Backstage): Promise<readonly string[]> => {
  if (!existsSync(image)) {
    const [, reference = ''] =
      /^"?freebsd-init\+rc\.d-shepherd"? = "(.*)"$/m.exec(readFileSync(lab.labFile, 'utf8')) ?? [];
    copyFileSync(reference, image);
    copyFileSync(`${reference}.bootwitness.json`, `${image}.bootwitness.json`);
  }
  return ['--image', image];
};

const MUTE = { boot: { sshd: 'never', serial: 'Loading kernel...\nStarting devd.\n' } };
const inHaste = (text: string): string => text.replace(/^budget_scale = .*$/m, 'budget_scale = 0.05');
const closure = '/frx/store/0123456789abcdfghijklmnpqrsvwxyz-fruix-system-simulated';
const shim = { 'kind.0': 'symlink', 'target.0': '/frx/store/5f1c…-guile' };

const PLAYS = {
  pass: { answers: { guests: [{ closure }] } },
  image: { answers: { guests: [{ closure, answers: { 'compat-prefix-shims': { facts: shim } } }] } },
  lab: { answers: { guests: [MUTE, MUTE] }, labFile: inHaste },
  undetermined: { answers: { guests: [MUTE] }, labFile: inHaste, args: ['--control', 'none'] },
  misuse: { args: ['--image', '/home/u/fruix.rw'], before: async () => [] },
  harness: {
    scenario: (scenario: Scenario): Scenario => ({
      ...scenario,
      probes: scenario.probes.map((probe) => ({
        ...probe,
        observe: async () => {
          throw new TypeError("Cannot read properties of undefined (reading 'facts')");
        },
      })),
    }),
  },
} satisfies Record<string, Play>;
type Name = keyof typeof PLAYS;
const names = Object.keys(PLAYS) as Name[];

interface Shown {
  /** From the headline on; of a refusal the whole. */
  readonly text: string;
  readonly code: number;
  /** A copy whose lab has neutral places; empty: there is none. */
  readonly workdir: string;
}

const played = inLanes(3, names, async (name): Promise<Shown> => {
  const { stderr, code } = await witness({ before: ownImage, ...PLAYS[name] });
  const [, made = ''] = /^workdir: (.+)$/m.exec(stderr) ?? [];
  const text = /^(?:PASS|FAIL|ERROR) [\s\S]*/m.exec(stderr)?.[0] ?? stderr.replace(/^\[.*\n/gm, '');
  return { text: present(text), code, workdir: made === '' ? '' : keep(name, made) };
});
const shown = async (name: Name): Promise<Shown> => (await played.get(name)) ?? { text: '', code: -1, workdir: '' };

/** Labs of tests have another port and another folder each; a lab that somebody has does not. */
function keep(name: string, workdir: string): string {
  const copy = join(root, name === 'pass' ? 'phase9-xcpng-boot-1795380000' : `phase9-xcpng-boot-1795390189-${name}`);
  cpSync(workdir, copy, { recursive: true });
  const file = join(copy, 'result.json');
  const result = JSON.parse(readFileSync(file, 'utf8')) as { asked: { options: object } };
  const neutral = {
    labUrl: 'https://xo.example.org',
    labFile: '/home/u/labs/pool1.toml',
    controlPath: '/home/u/good.raw',
  };
  const options = { ...result.asked.options, lab: 'pool1' };
  writeFileSync(file, JSON.stringify({ ...result, asked: { ...result.asked, ...neutral, options } }));
  return copy;
}

/** Places of this machine become those of the page. */
function present(text: string): string {
  return text
    .replaceAll(image, 'fruix.raw')
    .replaceAll(`${root}/`, '/tmp/')
    .replace(/(phase9-xcpng-boot-1795390189)-[a-z]+/g, '$1')
    .replace(/\S+\/runs\/phase9-xcpng-boot-\d+/g, '/tmp/phase9-xcpng-boot-1795390189')
    .replace(/--lab \S+\/lab\.toml/g, '--lab pool1')
    .replace(/ --(?:workdir-root|reports-dir) \S+/g, '')
    .replace(/^again: {2}phase9/m, 'again:  npm run -s phase9')
    .trim();
}

/** What is another one in each run; where lines break depends on it. A machine that is loaded takes its time, too. */
function neutral(text: string): string {
  return text
    .replace(/\nTIMELINE[\s\S]*?\n(?=\n)/, '')
    .replace(', timeline', '')
    .replace(/SHA256:\S+/g, '<key>')
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<uuid>')
    .replace(/\d+(?:[.:]\d+)*/g, '#')
    .replace(/\s+/g, ' ');
}

const block = (name: string): RegExp => new RegExp(`(<!-- example: ${name} -->\n\`\`\`text\n)([\\s\\S]*?)(\`\`\`\n)`);

function holds(t: Pick<typeof import('tap').default, 'equal'>, name: string, text: string): void {
  const page = readFileSync(PAGE, 'utf8');
  if (WRITES)
    writeFileSync(
      PAGE,
      page.replace(block(name), (_, head, _old, tail) => `${head}${text}\n${tail}`),
    );
  else t.equal(neutral(block(name).exec(page)?.[2] ?? 'no such example').trim(), neutral(text));
}

const CODES = { image: 1, lab: 3, undetermined: 3, misuse: 2, harness: 70 } as const;
for (const [name, expected] of Object.entries(CODES) as [keyof typeof CODES, number][]) {
  t.test(`the page shows how it ends: ${name}`, async (t) => {
    const { text, code } = await shown(name);
    t.equal(code, expected, text);
    holds(t, name, text);
  });
}

t.test('the page shows what compare and rejudge print', async (t) => {
  const [pass, failed, bug] = [await shown('pass'), await shown('image'), await shown('harness')];
  t.equal(pass.code, 0, pass.text);
  const compared = await callCommand(compare, pass.workdir, failed.workdir);
  t.equal(compared.code, 0, compared.stderr);
  holds(t, 'compare', present(compared.stdout));
  const again = await callCommand(rejudge([phase9XcpngBoot]), bug.workdir);
  t.equal(again.code, 0, again.stderr);
  holds(t, 'rejudge', present(again.stdout));
  for (const name of ['image', 'lab', 'undetermined', 'harness'] as const) {
    const { code } = await callCommand(pack, (await shown(name)).workdir, '--out', join(root, `${name}.tar.gz`));
    t.equal(code, 0, `${name} can be packed`);
  }
});

/** By name of the script. */
const KNOWN: Readonly<Record<string, readonly Option[]>> = {
  ...{ phase9: OPTIONS, compare: COMPARE_OPTIONS, rejudge: REJUDGE_OPTIONS, pack: PACK_OPTIONS, probe: PROBE_OPTIONS },
  ...{ repro: REPRO_OPTIONS, doctor: DOCTOR_OPTIONS, sweep: SWEEP_OPTIONS, 'lint-image': LINT_OPTIONS },
};

t.test('each kind of red has three commands to run next, and every one is a command', async (t) => {
  const page = readFileSync(PAGE, 'utf8');
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, lines = '']) => lines.trimEnd().split('\n'));
  t.same(
    blocks.map((lines) => lines.length),
    [3, 3, 3, 3, 3],
  );
  for (const line of blocks.flat()) {
    const [, script = '', args = ''] = /^npm run -s (\S+) -- (.+)$/.exec(line) ?? [];
    const flags = [...args.matchAll(/--([a-z-]+)/g)].map(([, flag]) => flag);
    const known = [...(KNOWN[script] ?? []).map(({ name }) => name), 'help'];
    t.ok(script in KNOWN && flags.every((flag) => known.includes(flag ?? '')), line);
  }
});

t.test('the comparison is no pretence: another ending is not what the page shows', async (t) => {
  const page = readFileSync(PAGE, 'utf8');
  const of = (name: string): string => neutral(block(name).exec(page)?.[2] ?? '');
  t.not(of('lab'), of('undetermined'));
  t.match(of('image'), /^FAIL phase# ?-xcpng-boot workdir: |^FAIL phase#-xcpng-boot workdir: /);
  t.notMatch(page, /\/work\/|bw-[a-z]+-|row-\d/, 'no place of the machine that wrote it');
});
