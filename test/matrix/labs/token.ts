/** Labs whose token ends in the middle: rows of the matrix. */
import type { Session } from '../../../harness/xcpng/session.ts';
import { KINDS } from '../../wire/calls-of-a-run.ts';
import { within } from '../../wire/operators-vm.ts';
import { lab, PASS, type Row } from '../../wire/rows.ts';

const { fixed = {} } = KINDS;
const OPERATORS = "the operator's VM: ";
/** Where nobody can look any more, that is told, and what is known to stay by its uuid. */
const NOT_LISTED = /^LEFT IN THE LAB: unknown: the lab could not be listed again/m;
const NAMED =
  /^LEFT IN THE LAB: VDI [0-9a-f-]{36} bootwitness .*\n(.*\n)*LEFT IN THE LAB: unknown: the lab could not be/m;

const EXPIRED = { ...lab('XO_TOKEN_EXPIRED'), says: /expired or was revoked/, tells: NOT_LISTED } as const;
export const TOKEN: readonly Row[] = [
  { name: 'the token ends before anything is made', faults: ['revoke-token=vm.create:once'], ...EXPIRED },
  ...['vdi.set', 'vm.attachDisk', 'vm.start'].map(
    (method): Row => ({
      name: `the token ends at ${method}`,
      faults: [`revoke-token=${method}:once`],
      ...EXPIRED,
      ...{ leaves: 2, tells: NAMED },
    }),
  ),
  ...[
    ['vm.stop', 2],
    ['vm.delete', 2],
    ['vdi.delete', 1],
  ].map(([method, leaves]): Row => {
    const told = { ...PASS, leaves: Number(leaves), tells: NAMED };
    return { name: `the token ends in clean-up, at ${method}`, faults: [`revoke-token=${method}:once`], ...told };
  }),
  ...['tag.add', 'vm.start'].map(
    (method): Row => ({
      name: `${OPERATORS}the token ends at ${method}`,
      ...fixed,
      faults: [`revoke-token=${method}:once`],
      ...EXPIRED,
    }),
  ),
  {
    name: 'somebody deletes the token, and the session lives on without REST',
    onStage: (stage, { lab, other }) => {
      if (stage === 'provision') void deleteToken(other(), lab.token);
    },
    ...{ ...lab('XO_TOKEN_EXPIRED'), says: /401/ },
  },
];

async function deleteToken(opening: Promise<Session>, token: string): Promise<void> {
  await (await opening).call('token.deleteOwn', { tokens: [token] }, within());
}
