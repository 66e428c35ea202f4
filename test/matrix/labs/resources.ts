/** Labs that lack something, or say yes too early: rows of the matrix. */
import { KINDS } from '../../wire/calls-of-a-run.ts';
import { lab, PASS, type Row } from '../../wire/rows.ts';

const { fixed = {} } = KINDS;
const OPERATORS = "the operator's VM: ";

export const SLOW_LABS: readonly Row[] = [
  { name: 'a banner after 60 s', scale: 1.5, answers: { guests: [{ boot: { delayMs: 62_000 } }] }, ...PASS },
  {
    name: 'a start that fails late: told after a minute',
    scale: 1.5,
    ...{ mishaps: ['start-fails-late'], ...lab('VM_START_REFUSED'), says: /said yes, but VM \S+ did not run/ },
  },
  // Xen Orchestra itself tries for 45 s.
  { name: 'a disk that is in use for longer than XO waits', faults: ['vdi-in-use=12'], ...PASS },
];

export const RESOURCES: readonly Row[] = [
  { name: 'a healthy lab', ...PASS },
  { name: 'SR full', mishaps: ['sr-full'], ...lab('UPLOAD_REFUSED'), says: /SR_BACKEND_FAILURE_44/ },
  { name: 'host out of memory', mishaps: ['no-memory'], ...lab('NO_HOST_AVAILABLE') },
  { name: `${OPERATORS}host out of memory`, ...fixed, mishaps: ['no-memory'], ...lab('NO_HOST_AVAILABLE') },
  { name: 'start is blocked', mishaps: ['blocked-operation=start'], ...lab('VM_START_REFUSED') },
  {
    name: 'destroy is blocked: the VM stays, and that is told',
    mishaps: ['blocked-operation=destroy'],
    ...{ ...PASS, leaves: 1, tells: /^LEFT IN THE LAB: VM \S+ .*blocked/m },
  },
  ...['hard_shutdown', 'clean_shutdown'].map(
    (operation): Row => ({ name: `${operation} is blocked`, mishaps: [`blocked-operation=${operation}`], ...PASS }),
  ),
  { name: `${OPERATORS}destroy is blocked`, ...fixed, mishaps: ['blocked-operation=destroy'], ...PASS },
  { name: 'a start that comes late', mishaps: ['start-comes-late=5'], ...PASS },
  { name: `${OPERATORS}a start that comes late`, ...fixed, mishaps: ['start-comes-late=5'], ...PASS },
  {
    name: 'a start that fails late: the budget ends first',
    mishaps: ['start-fails-late'],
    ...{ ...lab('XO_OBJECT_LATE'), says: /power_state Halted/ },
  },
  { name: 'a hard stop that says yes while the VM runs on', mishaps: ['stuck-power-state=5'], ...PASS },
  { name: 'vm.delete says yes and leaves the disk', mishaps: ['keep-disk'], ...PASS },
  ...[3600, -3600].flatMap((seconds): Row[] => [
    { name: `XO's clock ${seconds} s off`, mishaps: [`clock-offset=${seconds}`], ...PASS },
    { name: `${OPERATORS}XO's clock ${seconds} s off`, ...fixed, mishaps: [`clock-offset=${seconds}`], ...PASS },
  ]),
];
