/** Refuses what makes sense alone, but not together: options against the lab that was chosen, keys against keys. */

import { Fault } from '../faults/faults.ts';
import type { Request } from './config.ts';
import { bad } from './given.ts';
import type { LabFile } from './lab-tables.ts';
import type { Override } from './toml-reader.ts';

type Choice = Pick<Request, 'lab' | 'overrides' | 'xoToken' | 'xoPassword' | 'cache'>;

/** Tables of the lab file that describe somebody's lab; the embedded one writes them itself. */
const OF_A_REAL_LAB = ['xo', 'fixed', 'cache'] as const;
const WHY_NOT_EMBEDDED: Readonly<Record<(typeof OF_A_REAL_LAB)[number], string>> = {
  xo: 'that has its own Xen Orchestra',
  fixed: 'that has no VM of an operator',
  cache: 'that ends with its run and keeps nothing',
};

/**
 * Before the embedded lab is started.
 * @throws Fault BAD_OPTION, BAD_ENVIRONMENT
 */
export function refuseForEmbedded({ lab, overrides, xoToken, xoPassword, cache }: Choice): void {
  if (lab.kind !== 'embedded') return;
  const secret = xoToken !== null ? 'token' : xoPassword !== null ? 'password' : null;
  if (secret !== null) {
    throw bad('--lab', `a real lab for the ${secret} that is there`, 'the embedded lab, which has its own');
  }
  for (const [key, { from, text }] of overrides) {
    const table = OF_A_REAL_LAB.find((name) => key.startsWith(`${name}.`));
    if (table === undefined) continue;
    throw bad(from, 'a lab file or --xo-url with it', `"${text}" with the embedded lab, ${WHY_NOT_EMBEDDED[table]}`);
  }
  if (cache === 'on') {
    throw bad('--cache', 'a lab file or --xo-url with it', `on with the embedded lab, ${WHY_NOT_EMBEDDED.cache}`);
  }
}

interface Rule {
  readonly key: string;
  readonly broken: (file: LabFile, given: Given) => boolean;
  readonly expected: string;
  readonly given: string;
}

interface Given {
  readonly password: boolean;
}

const RULES: readonly Rule[] = [
  {
    key: 'xo.email',
    broken: ({ xo }, { password }) => xo.email !== null && !password,
    expected: 'a password with it (xo.password_file, --xo-password-file or BOOTWITNESS_XO_PASSWORD)',
    given: 'none',
  },
  {
    key: 'xo.password_file',
    broken: ({ xo }, { password }) => password && xo.email === null,
    expected: 'the user whose password it is (xo.email or --xo-email)',
    given: 'none',
  },
  {
    key: 'xo.insecure',
    broken: ({ xo }) => xo.insecure && xo.fingerprint !== null,
    expected: 'one of the two, it or xo.fingerprint',
    given: 'both: a certificate that is pinned is checked, any is not',
  },
  {
    key: 'xo.insecure',
    broken: ({ xo }) => xo.insecure && xo.caFile !== null,
    expected: 'one of the two, it or xo.ca_file',
    given: 'both: by a CA the certificate is checked, any is not',
  },
  {
    key: 'cache.sr',
    broken: ({ cache, fixed }) => cache !== null && fixed !== null,
    expected: 'guests that are made for a run, or --cache off',
    given: 'it with [fixed]: the disk of an operator is overwritten, and nothing is cloned',
  },
  {
    key: 'placement.host',
    broken: ({ placement, fixed }) => fixed !== null && placement.host !== null,
    expected: 'a lab whose guests are made for a run (one without [fixed])',
    given: "an operator's VM, which is started where the pool wants it",
  },
  {
    key: 'addresses.stimulate',
    broken: ({ addresses }) => addresses.stimulate !== null && addresses.neighbours === null,
    expected: 'a neighbour table that it fills (addresses.neighbours or --neighbours)',
    given: 'none',
  },
  {
    key: 'addresses.neighbours',
    broken: ({ addresses, ssh }) => addresses.neighbours === 'jump' && ssh.jump === null,
    expected: 'a jump host whose table it is (ssh.jump.host or --ssh-jump-host)',
    given: 'none',
  },
];

/**
 * @param request what the caller gave, for the origin of each value
 * @throws Fault BAD_OPTION, BAD_ENVIRONMENT, or BAD_LAB_FILE where it stands in the file
 */
export function refuseContradictions(request: Pick<Request, 'overrides' | 'xoPassword'>, file: LabFile): void {
  const password = request.xoPassword !== null || file.xo.passwordFile !== null;
  for (const { key, broken, expected, given } of RULES) {
    if (!broken(file, { password })) continue;
    const override: Override | undefined = request.overrides.get(key);
    if (override !== undefined) throw bad(override.from, expected, given);
    if (key === 'xo.password_file' && file.xo.passwordFile === null) {
      throw bad('BOOTWITNESS_XO_PASSWORD', expected, given);
    }
    throw new Fault('BAD_LAB_FILE', `${file.path}: ${key}: expected ${expected}, given ${given}`);
  }
}
