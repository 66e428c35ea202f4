/** What is said of `npm run lab`, and the one table of its options. */
import { exitLines } from '../help/exits.ts';
import type { Help, Row } from '../help/help.ts';
import { MISHAPS } from './mishap-table.ts';
import { SLOTS_MAX } from './slots.ts';

export const SLOTS_DEFAULT = 8;

/** What `--mishap` takes: a name, and what its value looks like. */
const mishaps = (): readonly Row[] =>
  Object.entries(MISHAPS).map(([name, { value, sentence }]): Row => {
    if (value === null) return [name, sentence];
    return [
      `${name}=VALUE`,
      `${sentence} VALUE: ${value.meaning}${value.fallback ? ` (default: ${value.fallback})` : ''}.`,
    ];
  });

export const LAB_HELP: Help = {
  ...{ name: 'lab', group: 'lab', page: 'README.md#on-your-own-lab' },
  summary: "starts the embedded lab alone: Xen Orchestra's API over QEMU on this machine",
  usage: ['[options]'],
  about: [
    'For any client of Xen Orchestra, and to boot the image that failed in your lab on this machine. It prints URL, ' +
      'token and the path of a lab file, and lives until Ctrl-C; what ran in it ends with it. npm run -s phase9 -- ' +
      '--lab embedded starts one by itself.',
  ],
  examples: [
    { args: [], does: 'a lab to look at; run against its lab file from another terminal' },
    {
      args: ['--backend', 'simulated', '--mishap', 'sr-full'],
      does: 'guests without QEMU, and a storage without room',
    },
  ],
  precedence: null,
  options: [
    {
      heading: '',
      rows: [
        ['--backend qemu | simulated', 'what runs the VMs (default: qemu)'],
        ['--parent', 'for programs: one line of JSON when ready, and the end of stdin ends it'],
        ['--state-dir DIR', 'an empty folder, removed at the end (default: a fresh one in the temp folder)'],
        ['--cache-dir DIR', 'where the reference guest is kept (default: bootwitness in $XDG_CACHE_HOME or ~/.cache)'],
        ['--slots NUMBER', `addresses for guests, 1 to ${SLOTS_MAX} (default: ${SLOTS_DEFAULT})`],
        ['--guest-answers FILE', 'what simulated guests answer (default: they let one in and answer nothing)'],
        ['--mishap NAME[=VALUE]', 'something that goes wrong; may be repeated (default: nothing does)'],
        ['--help', 'print and stop'],
      ],
    },
    { heading: 'Mishaps', rows: mishaps() },
  ],
  environment: {
    rule: null,
    variables: [
      ['BOOTWITNESS_DEBIAN_MIRROR', "Debian mirror for the reference guest's packages (default: Debian's own)"],
    ],
  },
  stdout: 'URL, token and lab file when it is ready; stderr says what it does.',
  exits: exitLines(['fine', 'misuse', 'lab'], {
    fine: 'it was ended',
    lab: 'it could not be started, or did not end in time; a bug of ours, too',
  }),
};
