/**
 * The one table of options: flag, environment variable, form, meaning. Help, parsing and the check
 * for unknown variables all read it.
 */

export interface Option {
  readonly name: string;
  readonly environment: string;
  /** How the value looks in --help. */
  readonly form: string;
  readonly meaning: string;
  /** True for what must not stand in a process list: environment or file only. */
  readonly secret?: true;
}

const option = (name: string, form: string, meaning: string): Option => ({
  name,
  environment: `BOOTWITNESS_${name.toUpperCase().replaceAll('-', '_')}`,
  form,
  meaning,
});

export const OPTIONS: readonly Option[] = [
  option('lab', 'embedded | NAME | FILE', 'lab to run on: the embedded one, labs/NAME.toml, or a lab file'),
  option('image', 'FILE', 'raw disk image to validate (default on the embedded lab: its reference guest)'),
  option('expect-closure', 'PATH', "store path that /run/current-system must lead to (default: the image's sidecar)"),
  option('ssh-key', 'FILE', 'private key whose public half is in the image (default: of the lab file)'),
  option(
    'control',
    'FILE | none',
    'image known to pass here, asked when the image is silent (default: of the lab file)',
  ),
  option(
    'read-back',
    'auto | always',
    'read the disk back before boot: where identity needs it, or always (default: auto)',
  ),
  option('budget-scale', 'NUMBER', "factor for all of the scenario's budgets (default: of the lab file)"),
  option('workdir-root', 'DIR', 'folder in which the workdir is made (default: the temp folder)'),
  option('label', 'NAME', "first part of the workdir's name (default: the scenario's name)"),
  option('xo-url', 'URL', "Xen Orchestra's URL (default: of the lab file)"),
  option('xo-token-file', 'FILE', 'file that holds the token (default: of the lab file)'),
  { ...option('xo-token', 'TOKEN', 'the token itself; only as an environment variable'), secret: true },
];

/** Read elsewhere than here, but known: not an error in the environment. */
export const OTHER_VARIABLES: readonly { readonly name: string; readonly meaning: string }[] = [
  { name: 'BOOTWITNESS_DEBIAN_MIRROR', meaning: "Debian mirror for the reference guest's packages" },
  { name: 'BOOTWITNESS_CACHE_DIR', meaning: 'where plans of images and the reference guest are kept' },
];

/** Text of --help for one scenario's entry. */
export function helpText(command: string, scenarioName: string, summary: string): string {
  const flags = OPTIONS.filter((entry) => !entry.secret).map((entry) => [
    `--${entry.name} ${entry.form}`,
    entry.meaning,
  ]);
  const width = Math.max(...flags.map(([flag]) => flag?.length ?? 0));
  const lines = (rows: readonly (readonly string[])[], pad: number): string =>
    rows.map(([left = '', right = '']) => `  ${left.padEnd(pad)}  ${right}`).join('\n');
  const variables = [
    ...OPTIONS.filter((entry) => entry.secret).map((entry) => [entry.environment, entry.meaning]),
    ...OTHER_VARIABLES.map((entry) => [entry.name, entry.meaning]),
  ];
  const widest = Math.max(...variables.map(([name]) => name?.length ?? 0));
  return `${command}: ${scenarioName}. ${summary}

Usage: npm run -s ${command} -- [options]

Options (flags > environment > lab file > defaults):
${lines(flags, width)}
  ${'--help, --version'.padEnd(width)}  print and stop

Each option is also read from BOOTWITNESS_<NAME> (--budget-scale: BOOTWITNESS_BUDGET_SCALE). Besides these:
${lines(variables, widest)}

Exit codes: 0 PASS; 1 FAIL, the image is to blame; 2 misuse, nothing was created; 3 ERROR, says nothing about
the image (lab, or undetermined), or something was left in the lab; 70 our bug; 130 interrupted.

stdout is TAP version 14, stderr is for people.

Examples:
  npm run -s ${command} -- --lab embedded
  npm run -s ${command} -- --lab embedded --image ./fruix.raw --ssh-key ~/.ssh/fruix
  npm run -s ${command} -- --lab labs/pool1.toml --image ./fruix.raw --expect-closure /frx/store/<hash>-fruix-system
`;
}
