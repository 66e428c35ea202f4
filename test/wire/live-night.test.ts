/** A night on a terminal, and one whose reader dies: processes on a simulated lab, the screen read from a terminal. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { VirtualTerminal } from '../harness/reporters/virtual-terminal.ts';
import { argumentsOf, environmentOf, folder, plan, simulated, started } from './event-runs.ts';

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');

/** Its TAP goes elsewhere. */
const night = (file: string): string =>
  `${quoted([process.execPath, ...argumentsOf('nightly', ['--plan', file])])} >'${join(folder, 'tap')}'`;

interface OnTerminal {
  readonly code: number | null;
  /** Screens as they followed one another. */
  readonly screens: readonly (readonly string[])[];
  readonly written: string;
  /** What stands there in the end. */
  readonly last: readonly string[];
}

/** @param onScreen may write to the terminal, as its keys do */
async function onTerminal(
  program: string,
  { columns, rows }: { readonly columns: number; readonly rows: number },
  environment: Readonly<Record<string, string>>,
  onScreen: (lines: readonly string[], keys: (text: string) => void) => void = () => undefined,
): Promise<OnTerminal> {
  const command = `stty rows ${rows} cols ${columns}; exec ${program}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    ...{ cwd: folder, env: { ...environmentOf(), ...environment } },
  });
  const terminal = new VirtualTerminal(columns, rows);
  const screens: (readonly string[])[] = [];
  const looks: Promise<void>[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    terminal.write(text);
    const look = terminal.lines().then((lines) => {
      screens.push(lines);
      onScreen(lines, (keys) => void child.stdin.write(keys));
    });
    looks.push(look);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  await Promise.all(looks);
  return { code, screens, last: await terminal.lines(), written: terminal.written };
}

const TOTALS = /^\d of 2 done, \d running, \d waiting; \d passed, \d failed, \d error; \d+ s$/;

t.test('two cases on a terminal of 80 columns: a line each while they run, and none of it afterwards', async (t) => {
  const lab = await simulated(t, { boot: { delayMs: 1_500 } }, '--slots', '8');
  const program = night(plan(lab.labFile, 2));
  const { code, screens, last } = await onTerminal(program, { columns: 80, rows: 24 }, { TERM: 'xterm' });
  t.equal(code, 0, last.join('\n'));
  const block = (screen: readonly string[]): readonly string[] => screen.slice(-3);
  const both = screens
    .map(block)
    .filter(
      ([one, two, totals]) =>
        /^phase9\.reference0\.pool {2}\S/.test(one ?? '') &&
        /^phase9\.reference1\.pool {2}\S/.test(two ?? '') &&
        TOTALS.test(totals ?? ''),
    );
  t.ok(both.length >= 3, 'both stood below each other, with the totals');
  const shown = both.flat().join('\n');
  t.match(shown, /boot: firmware\+kernel\+services .* of 50 s/, 'by stage, with the share of its budget');
  t.ok(
    screens.every((screen) => screen.filter((line) => TOTALS.test(line)).length <= 1),
    'never two blocks',
  );
  t.same(
    last.filter((line) => TOTALS.test(line)),
    [],
    'gone in the end',
  );
  t.equal(last.filter((line) => /pool: PASS \(/.test(line)).length, 2, 'what has ended stays');
  t.match(last.slice(-2).join(''), /^\[ .* s\] 2 cases: 2 pass; exit code 0; /m);
});

t.test('Ctrl-C on a terminal of 40 columns: the block is cleared, and the cases clean up', async (t) => {
  const lab = await simulated(t, { boot: { delayMs: 60_000 } }, '--slots', '8');
  let pressed = false;
  const program = night(plan(lab.labFile, 2));
  const { code, last, screens } = await onTerminal(
    program,
    { columns: 40, rows: 24 },
    { TERM: 'xterm' },
    (screen, keys) => {
      if (pressed || screen.filter((line) => /boot/.test(line)).length < 2) return;
      pressed = true;
      keys('\u0003');
    },
  );
  t.equal(code, 130);
  t.ok(screens.flat().every((line) => line.length <= 40));
  t.match(last.join('').replaceAll('\n', ''), /SIGINT: stopping/);
  t.match(last.join(''), /2 cases: 2 error; exit code 130; /);
  t.notMatch(last.at(-1), /running/);
});

t.test('a phase whose TAP goes to the same terminal: nothing of it is drawn over; plain where CI is set', async (t) => {
  const lab = await simulated(t, { boot: { delayMs: 3_000 } });
  const program = quoted([
    process.execPath,
    ...argumentsOf('phase9', ['--lab', lab.labFile, '--workdir-root', folder]),
  ]);
  const live = await onTerminal(program, { columns: 100, rows: 30 }, { TERM: 'xterm' });
  t.equal(live.code, 0, live.last.join('\n'));
  const drawn = /^phase9-xcpng-boot on lab {2}boot: firmware\+kernel\+services {2}\[.* of 50 s$/;
  t.ok(live.screens.some((screen) => screen.some((line) => drawn.test(line))));
  t.ok(
    live.screens.some((screen) => screen.includes('  connected, no banner')),
    'with what was seen last',
  );
  t.equal(live.last.filter((line) => /^ok \d+ - /.test(line)).length, 26, 'the whole TAP');
  t.ok(live.last.includes('TAP version 14'));
  t.match(live.last.at(-1), 'sshd_status=running');
  t.notOk(
    live.last.some((line) => / of 50 s$|^ {2}connected/.test(line)),
    'and no block',
  );
  const plain = await onTerminal(program, { columns: 100, rows: 30 }, { TERM: 'xterm', CI: 'true' });
  t.equal(plain.code, 0);
  t.notOk(plain.written.includes('\u001b'));
  await t.test('a series of repetitions of it: live in each run, the table whole below', async (t) => {
    const [workdir = ''] = live.last.flatMap((line) => /^workdir: (\S+)$/.exec(line)?.[1] ?? []);
    const again = quoted([
      process.execPath,
      ...argumentsOf('repro', [workdir, '--repeat', '2', '--workdir-root', folder]),
    ]);
    const series = await onTerminal(again, { columns: 100, rows: 30 }, { TERM: 'xterm' });
    t.equal(series.code, 0, series.last.join('\n'));
    const second = series.screens.filter((screen) => screen.some((line) => /\] run 1 of 2: PASS$/.test(line)));
    t.ok(
      second.some((screen) => screen.some((line) => drawn.test(line))),
      'also in the second',
    );
    t.notOk(series.last.some((line) => drawn.test(line)));
    t.match(series.last.slice(-3).join('\n'), /2 of 2/);
  });
});

t.test('a night that is killed ends no case: it loses its reader, and passes', async (t) => {
  const lab = await simulated(t, { boot: { delayMs: 1_000 } });
  const begun = join(folder, 'state', 'bootwitness', 'nights');
  const before = new Set(existsSync(begun) ? readdirSync(begun) : []);
  let killed = false;
  const { code } = await started('nightly', ['--plan', plan(lab.labFile, 1), '--json'], {
    onStdout: (all, child) => {
      if (killed || !all.includes('"step":"boot"')) return;
      killed = true;
      child.kill('SIGKILL');
    },
  });
  t.equal(code, null);
  const [night = ''] = readdirSync(begun).filter((name) => !before.has(name));
  const attempt = join(begun, night, 'phase9.reference0.pool', 'attempt-1');
  const ended = (): string | undefined => {
    const [workdir = ''] = readdirSync(join(attempt, 'run'));
    const file = join(attempt, 'run', workdir, 'metadata.txt');
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };
  const metadata = await new Promise<string>((resolve) => {
    const looking = setInterval(() => {
      const text = ended();
      if (text === undefined) return;
      clearInterval(looking);
      resolve(text);
    }, 50);
  });
  t.match(metadata, /^result=PASS$/m);
  t.match(metadata, /^exit_code=0$/m);
});
