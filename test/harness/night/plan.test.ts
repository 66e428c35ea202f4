/** Plans as people write them, right and wrong; what cases they come to; how many run at a time. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import { nightLabs, onlyCases } from '../../../harness/night/cases.ts';
import { fits } from '../../../harness/night/pattern.ts';
import { parsePlanFile } from '../../../harness/night/plan-file.ts';
import { PHASES } from './phases.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-plan-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const write = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
for (const name of ['a.raw', 'b.raw']) write(name, 'x');
const LAB = '[xo]\nurl = "http://x"\ntoken_file = "t"\n';
const SLOT = '[[slots]]\nmac = "02:00:00:00:aa:0N"\naddress = "192.0.2.N"\n';
write('two.toml', `max_guests = 2\n${LAB}${[1, 2, 3].map((n) => SLOT.replaceAll('N', String(n))).join('')}`);
write('three.toml', `${LAB}${[1, 2, 3].map((n) => SLOT.replaceAll('N', String(n))).join('')}`);
write('bare.toml', LAB);
const uuid = (letter: string): string => [8, 4, 4, 4, 12].map((length) => letter.repeat(length)).join('-');
write('fixed.toml', `${LAB}[fixed]\nvm = "${uuid('a')}"\nvdi = "${uuid('b')}"\n`);

const PLAN = `
[images.a]
file = "a.raw"
scenarios = ["phase9"]
[images.b]
file = "b.raw"
[labs.pool]
lab = "./two.toml"
`;
const plan = (text: string) => parsePlanFile(join(dir, 'plan.toml'), text);
const labsOf = async (text: string, environment = {}) => nightLabs(plan(text), PHASES, environment);

t.test('cases are scenarios times images, on each lab', async (t) => {
  const [pool] = await labsOf(PLAN);
  t.same(
    pool?.cases.map(({ name }) => name),
    ['phase9.a.pool', 'phase9.b.pool', 'phase11.b.pool'],
  );
  t.same(pool?.cases[0]?.args, ['--lab', join(dir, 'two.toml'), '--image', join(dir, 'a.raw')]);
  const two = await labsOf(`${PLAN}[labs.other]\nlab = "embedded"\nimages = ["a"]\nargs = ["--boots", "2"]\n`);
  t.same(
    two[1]?.cases.map(({ name, args }) => [name, ...args.slice(-2)]),
    [['phase9.a.other', '--boots', '2']],
  );
  t.same(
    onlyCases(two, 'phase9.*').map(({ cases }) => cases.length),
    [2, 1],
  );
});

t.test('as many at a time as the lab file has room for', async (t) => {
  const lanes = async (lab: string, more = '') => {
    const [found] = await labsOf(PLAN.replace('./two.toml', lab) + more);
    return [found?.lanes, found?.because];
  };
  t.same(await lanes('./two.toml'), [2, 'max_guests of the lab file']);
  t.same(await lanes('./two.toml', 'parallel = 1\n'), [1, 'parallel of the plan']);
  t.same(await lanes('./two.toml', 'args = ["--max-guests", "3"]\n'), [3, 'max_guests of the lab file']);
  t.same(await lanes('./three.toml'), [3, 'slots of the lab file']);
  t.same(await lanes('./bare.toml'), [1, 'neither the plan nor the lab file says how many']);
  t.same(await lanes('./fixed.toml', 'parallel = 4\n'), [1, 'one allotted VM']);
  t.same(await lanes('embedded'), [1, 'a lab of its own for each']);
});

t.test('what is wrong is told in one sentence, with its line', async (t) => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['', /plan.toml: images: expected at least one table \[images.NAME\], given nothing/],
    ['[images.a]\nfile = "a.raw"\n', /labs: expected at least one table/],
    [PLAN.replace('[images.b]', '[images."b b"]'), /images.b b: expected a name of letters/],
    [PLAN.replace('scenarios', 'scenario'), /line 4: unknown key images.a.scenario: expected one of file, scenarios/],
    [PLAN.replace('phase9', 'phase8'), /images.a.scenarios: expected some of phase9, phase11, given "phase8"/],
    [PLAN.replace('a.raw', 'none.raw'), /images.a.file: expected an image, given .*none.raw/],
    [`${PLAN}images = ["c"]\n`, /line 9: labs.pool.images: expected some of a, b, given \["c"\]/],
    [`${PLAN}parallel = 0\n`, /labs.pool.parallel: expected a number from 1 to 500, given 0/],
    [`${PLAN}args = ["--boots", "99"]\n`, /labs.pool: --boots: expected a whole number from 1 to 9, given "99"/],
    ...['--help', '-h', '--version', '--json', '--json=true', '--quiet', '--tap", "x', '--junit=x', '--markdown=x'].map(
      (args) =>
        [`${PLAN}args = ["${args}"]\n`, /labs.pool.args: expected options of single cases, given "--?\w/] as const,
    ),
    [`${PLAN}args = ["--boots", "2", "--report-json", "x"]\n`, /given "--report-json": .* the night's own/],
    ...['--image', '--expect-closure'].map(
      (args) => [`${PLAN}args = ["${args}", "x"]\n`, /labs.pool.args: .* given "--[a-z-]+": it stands with/] as const,
    ),
    ...['--label', '--workdir-root', '--reports-dir', '--night'].map(
      (args) => [`${PLAN}args = ["${args}", "x"]\n`, /labs.pool.args: .*: outputs are the night's own/] as const,
    ),
    [`${PLAN}images = ["a"]\n`, /plan.toml: images.b: expected a lab that runs it, given labs whose images leave it/],
    [PLAN.replace('"b.raw"', '"."'), /images.b.file: expected an image, given /],
    [`${PLAN}[images.c]\nssh_key = "none"\n`, /images.c.ssh_key: expected a private key, given .*none$/],
    [`${PLAN}[images.c]\ncontrol = "c.raw"\n`, /images.c.control: expected an image, given .*plan-\w+\/c.raw$/],
    [
      PLAN.replace('two.toml', 'none.toml'),
      /plan.toml: labs.pool: lab: expected a lab file that can be read, given .*none.toml/,
    ],
    [`retries = 9\n${PLAN}`, /line 1: retries: expected a number from 0 to 5, given 9/],
    ['[images', /plan.toml, line 1:/],
  ];
  for (const [text, message] of rows) {
    const refused = await labsOf(text).catch((error: unknown) => error);
    t.ok(refused instanceof Fault && refused.party === 'caller', String(refused));
    t.match(String(refused), message);
  }
  write('b.raw.bootwitness.json', '{"bootMode": "shepherd-pid1"}');
  await t.rejects(labsOf(PLAN), {
    code: 'BAD_PLAN',
    message: /images.b.scenarios: expected scenarios of the boot mode shepherd-pid1 that b.raw declares, given phase9/,
  });
  rmSync(join(dir, 'b.raw.bootwitness.json'));
});

t.test('what the environment says of one case is refused: it would be said of all', async (t) => {
  for (const name of ['BOOTWITNESS_IMAGE', 'BOOTWITNESS_LAB', 'BOOTWITNESS_EXPECT_CLOSURE']) {
    await t.rejects(labsOf(PLAN, { [name]: '/x' }), {
      code: 'BAD_ENVIRONMENT',
      message: new RegExp(`^${name}: .* "/x"`),
    });
  }
  write('elsewhere.toml', LAB.replace('http://x', 'http://y'));
  const environment = { BOOTWITNESS_XO_URL: 'http://z' };
  t.equal((await labsOf(`${PLAN}[labs.three]\nlab = "./three.toml"\n`, environment)).length, 2, 'of one Xen Orchestra');
  await t.rejects(labsOf(`${PLAN}[labs.other]\nlab = "./elsewhere.toml"\n`, environment), {
    code: 'BAD_ENVIRONMENT',
    message: /BOOTWITNESS_XO_URL: .*\(pool: http:\/\/x, other: http:\/\/y\), given "http:\/\/z"/,
  });
  const token = { BOOTWITNESS_XO_TOKEN: 't'.repeat(43) };
  const toldTo = (lab: string) => labsOf(`${PLAN}[labs.other]\nlab = "./${lab}.toml"\n`, token);
  t.equal((await toldTo('three')).length, 2);
  await t.rejects(toldTo('elsewhere'), {
    code: 'BAD_ENVIRONMENT',
    message: /^BOOTWITNESS_XO_TOKEN: .* several Xen Orchestras .*, given one \(it is not shown\)$/,
  });
});

t.test('what runs a case alone can be pasted, with what the environment says', async (t) => {
  write('a b.raw', 'x');
  write('good.raw', 'x');
  const text = PLAN.replace('"a.raw"', '"a b.raw"\ncontrol = "good.raw"').replace(
    '"b.raw"',
    '"b.raw"\ncontrol = "none"',
  );
  const [pool] = await labsOf(text, { BOOTWITNESS_TIME_LIMIT: '600' });
  t.equal(
    pool?.cases[0]?.repeat,
    `BOOTWITNESS_TIME_LIMIT=600 npm run -s phase9 -- --lab ${join(dir, 'two.toml')} ` +
      `--image '${join(dir, 'a b.raw')}' --control ${join(dir, 'good.raw')}`,
  );
  t.match(pool?.cases[1]?.repeat, /--control none$/);
});

t.test('the example is a plan, also with what it has commented out', async (t) => {
  const file = fileURLToPath(new URL('../../../plans/nightly.example.toml', import.meta.url));
  const text = readFileSync(file, 'utf8');
  const bare = parsePlanFile(file, text);
  t.match(bare, { name: 'nightly', retries: 1, keepDays: 14, knownFailures: null });
  const whole = parsePlanFile(file, text.replace(/^# (?=[\w]+ = )/gm, ''));
  t.match(whole, { retries: bare.retries, keepDays: bare.keepDays, workdirs: '/var/lib/bootwitness/nights' });
  t.match(whole.labs[0], {
    lab: /labs\/pool1.toml$/,
    images: ['fruix-main'],
    parallel: 2,
    args: ['--budget-scale', '1.5'],
  });
});

t.test('patterns', async (t) => {
  t.ok(fits('fruix-*', 'fruix-main') && fits('*', '') && fits('a?c', 'abc') && fits('a.c', 'a.c'));
  t.notOk(fits('fruix-*', 'old-fruix-main') || fits('a?c', 'ac') || fits('a.c', 'abc') || fits('a', 'A'));
});
