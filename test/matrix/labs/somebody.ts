/** Labs in which somebody else deletes or halts the VM: rows of the matrix. */
import type { Session } from '../../../harness/xcpng/session.ts';
import { KINDS } from '../../wire/calls-of-a-run.ts';
import { runningGuest, within } from '../../wire/operators-vm.ts';
import { answering, lab, PASS, type Row, undetermined } from '../../wire/rows.ts';
import type { Play } from '../../wire/witness.ts';

const { fixed = {} } = KINDS;
const OPERATORS = "the operator's VM: ";

const GONE = { ...lab('VM_LOST') } as const;
export const SOMEBODY: readonly Row[] = [
  {
    name: 'somebody else deletes the VM while it boots',
    answers: { guests: [{ boot: { sshd: 'never' } }, {}] },
    ...atStage('boot', deleteGuest),
    ...{ ...GONE, says: /not listed any more, while its pool and host are/ },
  },
  {
    name: 'somebody else deletes the VM while it is probed',
    answers: answering({ delayMs: 5_000 }),
    ...atStage('probe', deleteGuest),
    ...{ ...GONE, says: /not listed any more, while its pool and host are/ },
  },
  // The disk is being uploaded when it goes; `tag.add` is the first to notice.
  ...['tag.add', 'vm.attachDisk', 'vm.setBootOrder', 'vm.start'].map(
    (method): Row => ({
      name: `somebody else deletes the VM before ${method}`,
      faults: [`deleted-before=${method}:once`],
      ...GONE,
    }),
  ),
  ...['vm.stop', 'vm.delete'].flatMap((method): Row[] => [
    { name: `somebody else deletes the VM before ${method}`, faults: [`deleted-before=${method}:once`], ...PASS },
    { name: `somebody else halts the VM before ${method}`, faults: [`halted-before=${method}:once`], ...PASS },
  ]),
  {
    name: `${OPERATORS}somebody else deletes it before vm.start`,
    ...{ ...fixed, faults: ['deleted-before=vm.start:once'], ...GONE },
  },
  {
    name: 'somebody else halts the VM while it is probed',
    answers: answering({ delayMs: 5_000 }),
    ...atStage('probe', haltGuest),
    ...undetermined('GUEST_HALTED', /powered|halted|Halted/),
  },
];

function atStage(wanted: string, act: (session: Session, vm: string) => Promise<unknown>): Pick<Play, 'onStage'> {
  return {
    onStage: (stage, { other }) => {
      if (stage === wanted) void other().then(async (session) => act(session, await runningGuest(session)));
    },
  };
}

/** What an administrator does who thinks that nobody needs this VM. */
function deleteGuest(session: Session, id: string): Promise<unknown> {
  return session.call('vm.delete', { id }, within());
}

function haltGuest(session: Session, id: string): Promise<unknown> {
  return session.call('vm.stop', { id, force: true }, within());
}
