/** Guests in the wrong boot mode, or with another PID 1 than they say: rows of the matrix. */
import { broken, type Row, unseen } from '../../wire/rows.ts';
import { type Facts, guest } from './facts.ts';

const MODE = 'init_mode';
const PID = 'shepherd_pid';
const pid1 = (facts: Facts) => guest({ pid1: { facts } });
const mode = (bootMode: string) => ({ guests: [{ bootMode }] });

export const PID1: readonly Row[] = [
  { name: 'phase 9 finds shepherd-pid1', answers: mode('shepherd-pid1'), ...broken(MODE, PID) },
  {
    name: "phase 11 finds init and rc.d's Shepherd",
    phase: 'phase11',
    ...{ answers: mode('freebsd-init+rc.d-shepherd'), ...broken(MODE, PID) },
  },
  {
    name: 'phase 9: PID 1 is systemd',
    answers: pid1({ comm: 'systemd', command: '/sbin/init' }),
    ...{ ...broken(MODE), says: /neither an init nor Shepherd/ },
  },
  {
    name: 'phase 11: PID 1 is a shell',
    phase: 'phase11',
    ...{ answers: pid1({ comm: 'sh', command: '/bin/sh' }), ...broken(MODE) },
  },
  {
    name: 'phase 11: PID 1 is a guile, and the pid file names another',
    phase: 'phase11',
    ...{ answers: pid1({ pid_alive: '171', pid_file_content: '171' }), ...unseen(MODE) },
  },
  {
    name: 'phase 11: PID 1 is init, and the pid file says 1',
    phase: 'phase11',
    ...{ answers: pid1({ comm: 'init', command: 'init' }), ...unseen(MODE) },
  },
  {
    name: 'phase 9: PID 1 is init, and the pid file says 1',
    answers: pid1({ pid_alive: '1', pid_file_content: '1' }),
    ...unseen(MODE),
  },
];
