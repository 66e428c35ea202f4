/** However a process ends that draws on a terminal: nothing of the block stays, and what is printed last is whole. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { VirtualTerminal } from '../harness/reporters/virtual-terminal.ts';
import { ownEnvironment } from '../phase-process.ts';

const OPEN = fileURLToPath(new URL('../../harness/progress/open.ts', import.meta.url));
const program = (ending: string): string => `
import { openProgress } from '${OPEN}';
const { progress } = openProgress([], process.env, process);
progress.tell({ event: 'run-begins', runId: 'r', scenario: 'phase9', lab: 'pool', image: null });
progress.note('before');
progress.tell({ event: 'stage-begins', stage: 'kernel', guest: 'image', boot: 1, budgetS: 40 });
${ending}
setInterval(() => undefined, 1000);`;

async function screenAfter(ending: string) {
  const words = [
    process.execPath,
    '--import',
    import.meta.resolve('tsx'),
    '--input-type=module',
    '-e',
    program(ending),
  ];
  const command = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const terminal = new VirtualTerminal(80, 24);
  const child = spawn('script', ['-qec', `stty rows 24 cols 80; exec ${command}`, '/dev/null'], {
    env: { ...ownEnvironment(), TERM: 'xterm' },
  });
  let drawn = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    terminal.write(text);
    drawn ||= text.includes('phase9 on pool  kernel') || text.includes('phase9 on pool  begins');
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, drawn, lines: await terminal.lines() };
}

for (const [how, ending, code] of [
  ['a crash', "throw new Error('of ours');", 1],
  ['SIGTERM, where nobody listens for it', "process.kill(process.pid, 'SIGTERM');", 143],
  ['an exit', 'process.exit(3);', 3],
] as const) {
  t.test(how, async (t) => {
    const ended = await screenAfter(ending);
    t.ok(ended.drawn, 'it stood there');
    t.equal(ended.code, code);
    t.match(ended.lines[0], /^\[ +\d+\.\d s\] before$/);
    t.notOk(
      ended.lines.some((line) => line.startsWith('phase9 on pool')),
      ended.lines.join('\n'),
    );
    if (how === 'a crash') t.match(ended.lines.join('\n'), /Error: of ours/);
  });
}
