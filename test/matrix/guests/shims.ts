/** Guests that still have an alias of a historical prefix: rows of the matrix. */
import { broken, type Row, unseen } from '../../wire/rows.ts';
import { guest } from './facts.ts';

const PREFIXES = ['guile', 'guile-gnutls', 'shepherd'] as const;
const KINDS = ['directory', 'file', 'symlink', 'dangling symlink'] as const;
const CHECK = 'compat_prefix_shims';

const shims = (looks: readonly object[] | object) => guest({ 'compat-prefix-shims': looks });

/** Each prefix, of each kind; present at the first look, at the second only, at the first only. */
export const SHIMS: readonly Row[] = [
  ...PREFIXES.flatMap((prefix, i): Row[] => {
    const there = (kind: string) => ({
      facts: { [`kind.${i}`]: kind, [`target.${i}`]: kind.includes('symlink') ? '/frx/store/somewhere' : '' },
    });
    return [
      ...KINDS.map(
        (kind): Row => ({ name: `the ${prefix} shim: ${kind}`, answers: shims(there(kind)), ...broken(CHECK) }),
      ),
      {
        name: `the ${prefix} shim: appears late`,
        answers: shims([{}, { after: 2, ...there('symlink') }]),
        ...broken(CHECK),
      },
    ];
  }),
  {
    name: 'a shim that is gone at the second look',
    answers: shims([{ facts: { 'kind.1': 'symlink' } }, { after: 2 }]),
    ...broken(CHECK),
  },
  {
    name: 'a shim beside a prefix that cannot be looked at',
    answers: shims({ facts: { 'kind.0': 'unreadable', 'kind.2': 'symlink' } }),
    ...broken(CHECK),
  },
  {
    name: 'a prefix that cannot be looked at',
    answers: shims({ facts: { 'kind.0': 'unreadable' } }),
    ...unseen(CHECK),
  },
  { name: 'a prefix that the guest says nothing of', answers: shims({ facts: { 'kind.2': null } }), ...unseen(CHECK) },
];
