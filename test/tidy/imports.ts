/** Who may import whom, as data: each row with its reason, which is what a breach of it prints. */

/** Paths are from the root of the repository; `*` stands for a name, `**` for any depth. */
export interface Boundary {
  readonly files: readonly string[];
  readonly except?: readonly string[];
  /** Refused in every form, types included. */
  readonly never?: readonly string[];
  /** Nothing else at run time; a type costs nothing and is not counted. `node:` stands for all of Node. */
  readonly only?: readonly string[];
  readonly because: string;
}

const WORDS = [
  ...[
    'harness/model.ts',
    'harness/faults/faults.ts',
    'harness/faults/fault-table.ts',
    'harness/faults/fault-row.ts',
    'harness/finding.ts',
    'harness/boot/slow-stages.ts',
  ],
];
const TIME = ['harness/deadline.ts', 'harness/disposals.ts', 'harness/lab.ts'];

export const BOUNDARIES: readonly Boundary[] = [
  {
    files: ['harness/**', 'scenarios/**', '*.ts'],
    never: ['lab/**'],
    because: 'harness and lab meet on the wire: a shared type would let one misunderstanding of XO be coded twice',
  },
  {
    files: ['lab/**'],
    never: ['harness/**', 'scenarios/**'],
    because: 'lab and harness meet on the wire: a shared type would let one misunderstanding of XO be coded twice',
  },
  {
    files: ['help/**'],
    only: ['help/**'],
    because: 'harness, lab and tests share how help is written and know nothing of each other by it',
  },
  {
    files: ['harness/**', 'lab/**', 'scenarios/**', '*.ts'],
    never: ['test/**', 'bench/**', 'docs/**'],
    because: 'what is delivered does not lean on its tests',
  },
  {
    files: ['harness/**'],
    except: [
      'harness/xcpng/**',
      'harness/commands/**',
      'harness/invocation.ts',
      'harness/report/run-report.ts',
      'harness/prepare/plan-case.ts',
      'harness/prepare/prepare.ts',
    ],
    never: ['harness/xcpng/**'],
    because: 'a run knows the interfaces Lab and Guest; only the places that join things know Xen Orchestra',
  },
  {
    files: ['harness/xcpng/**'],
    only: [
      'harness/xcpng/**',
      'harness/image/**',
      ...WORDS,
      ...TIME,
      'harness/workdir/secrets.ts',
      'harness/workdir/log.ts',
      'harness/workdir/make-folder.ts',
      'harness/finding.ts',
      'node:',
      'xo-lib',
      'ws',
    ],
    because: 'the client of Xen Orchestra knows nothing of probes, verdicts and reports',
  },
  {
    files: ['harness/live/**', 'harness/commands/probe.ts', 'harness/guest/probing.ts', 'harness/guest/interview.ts'],
    never: ['harness/xcpng/**', 'harness/lab.ts', 'harness/boot/boot.ts', 'harness/run.ts', 'harness/image/**'],
    because: 'a machine that runs already is looked at without a lab and without an image',
  },
  {
    files: ['harness/image/**'],
    only: ['harness/image/**', ...WORDS, 'harness/workdir/make-folder.ts', 'node:', 'zstddec'],
    because: 'what an image is has nothing to do with where it is going',
  },
  { files: ['harness/model.ts'], only: [], because: 'the words of the product depend on nothing' },
  { files: ['harness/faults/faults.ts', 'harness/lab.ts'], only: WORDS, because: 'contracts depend on the words only' },
  {
    files: ['harness/judge.ts', 'harness/plan.ts', 'harness/report/report.ts'],
    only: [...WORDS, 'harness/guest/over-boots.ts', 'harness/boot/slow-stages.ts'],
    because: 'planning, judging and reporting are pure, so that a stored run can be judged again',
  },
  {
    files: ['harness/probes/**'],
    only: ['harness/probes/**', ...WORDS],
    because: 'a probe sees the world only through the guest it is handed; its expect does no I/O',
  },
  {
    files: ['harness/stored/**'],
    never: ['harness/xcpng/**', 'harness/ssh/**', 'harness/boot/boot.ts', 'harness/invocation.ts', 'scenarios/**'],
    because: 'a stored run is read without a lab, without a guest and without a scenario of today',
  },
  {
    files: ['harness/reporters/**'],
    only: [
      'harness/reporters/**',
      'harness/progress/board.ts',
      ...WORDS,
      'harness/report/report.ts',
      'harness/report/summary.ts',
      'harness/workdir/secrets.ts',
      'harness/workdir/workdir.ts',
      'node:',
      'tap',
      'slice-ansi',
      'string-width',
    ],
    because: 'a reporter prints what was decided and decides nothing',
  },
  {
    files: ['harness/history/**'],
    only: [
      'harness/history/**',
      ...WORDS,
      'harness/report/report.ts',
      'harness/workdir/secrets.ts',
      'harness/workdir/make-folder.ts',
      'node:',
    ],
    because: 'the history keeps and reads what was decided; it knows no lab and no guest',
  },
  {
    files: ['harness/site/**'],
    only: [
      'harness/site/**',
      'harness/history/**',
      ...WORDS,
      'harness/workdir/make-folder.ts',
      'harness/console/console-text.ts',
      'node:',
    ],
    because: 'pages are made from the history alone, so that copied files are enough to make them',
  },
  {
    files: ['scenarios/**'],
    only: ['scenarios/**', 'harness/model.ts', 'harness/probes/**'],
    because: 'a scenario is data: probes, paths, budgets',
  },
  {
    files: ['*.ts'],
    only: ['harness/phase.ts', 'harness/commands/**', 'scenarios/**'],
    because: 'an entry file is one call of phase() or runCommand()',
  },
];

/** Each library has one importing file per side, so that it can be replaced there; tests may import any. */
export const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  'xo-lib': ['harness/xcpng/link.ts'],
  ssh2: ['harness/ssh/*', 'lab/simulated/*'],
  'p-retry': ['harness/deadline.ts'],
  pino: ['harness/workdir/log.ts'],
  'smol-toml': ['harness/options/toml-reader.ts'],
  'modern-tar': ['harness/stored/archive.ts'],
  zstddec: ['harness/image/cluster-inflate.ts'],
  'tesseract.js': ['harness/console/ocr-main.ts'],
  pngjs: [],
  tap: ['harness/reporters/tap.ts'],
  ws: ['lab/**', 'harness/xcpng/console-socket.ts'],
  ajv: ['lab/**'],
  'slice-ansi': ['harness/reporters/columns.ts'],
  'string-width': ['harness/reporters/columns.ts'],
  'signal-exit': ['harness/progress/open.ts'],
  '@xterm/headless': [],
  uplot: ['harness/site/browser/*'],
  typescript: [],
};
