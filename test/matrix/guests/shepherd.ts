/** Guests whose Shepherd is dead, deaf or not the one that it is said to be: rows of the matrix. */
import { broken, type Row, unseen } from '../../wire/rows.ts';
import { type Facts, guest, said, talk } from './facts.ts';

const STATUS = 'shepherd_status';
const PID = 'shepherd_pid';
const SOCKET = 'shepherd_socket';
const AT = '/var/run/shepherd/socket';
const HERD = '/run/current-system/profile/bin/herd';
const GONE: Facts = { pid_alive: '' };
const NO_SOCKET: Facts = { 'kind.0': 'absent', 'kind.1': 'absent' };

const asked = (...more: readonly (readonly string[])[]): string =>
  said(['started', '3.0.10'], ['asking', AT], ...more, ['done']);
const refused = (errno: string, text: string): Facts => ({ ...GONE, talk_output: asked(['errno', AT, errno, text]) });
/** Everything that asks Shepherd. */
const shepherd = (facts: Facts, more: Readonly<Record<string, unknown>> = {}) => guest({ ...talk(facts), ...more });
const dead = (facts: Facts) => shepherd(facts, { pid1: { facts: { pid_alive: '' } } });
/** A Guile that does not run, so that herd is asked. */
const herd = (facts: Facts) =>
  shepherd({ talk_output: '', talk_status: '127', herd: HERD, herd_status: '0', herd_output: '', ...facts });
const answered = (pid: string, root: string): string =>
  asked(['pid', pid], ['service', 'root', root], ['answered', AT]);

const HUNG = said(['started', '3.0.10'], ['asking', AT]);

export const SHEPHERD: readonly Row[] = [
  {
    name: 'Shepherd is dead, its pid file and its socket are left',
    answers: dead(refused('111', 'Connection refused')),
    ...broken(STATUS, PID),
  },
  {
    name: 'Shepherd is dead, and the guest says so in another locale',
    answers: dead(refused('61', 'Connexion refusée')),
    ...broken(STATUS, PID),
  },
  {
    name: 'Shepherd is dead, its pid file is left, its socket is gone',
    answers: guest({
      ...talk({ ...GONE, sockets: '', talk_output: null, talk_status: null }),
      'shepherd-socket': { facts: NO_SOCKET },
    }),
    ...broken(STATUS, PID, SOCKET),
  },
  {
    name: 'the pid file names another process',
    answers: shepherd({ pid_file_content: '4242', pid_alive: '4242' }),
    ...{ ...broken(PID), says: /the live socket says 171, \S+ says "4242"/ },
  },
  { name: 'an empty pid file', answers: shepherd({ pid_file_content: '', pid_alive: '' }), ...broken(PID) },
  {
    name: 'no pid file',
    answers: shepherd({ pid_file: null, pid_file_content: null, pid_alive: '' }),
    ...unseen(PID),
  },
  {
    name: 'a file where the socket should be',
    answers: guest({
      ...talk({ ...GONE, sockets: '', talk_output: null, talk_status: null }),
      'shepherd-socket': { facts: { 'kind.0': 'a file' } },
    }),
    ...broken(STATUS, PID, SOCKET),
  },
  {
    name: 'the folder of the socket may not be searched',
    answers: guest({
      ...talk({ sockets: '', hidden: '/var/run/shepherd', talk_output: null, talk_status: null }),
      'shepherd-socket': { facts: { 'kind.0': 'unreadable' } },
    }),
    ...unseen(STATUS, PID, SOCKET),
  },
  {
    name: 'Shepherd takes the connection and never answers',
    answers: shepherd({ talk_output: HUNG, talk_status: '124', control: '0' }),
    ...broken(STATUS, PID),
  },
  {
    name: 'Shepherd does not answer, and the machine is too slow to tell',
    answers: shepherd({ talk_output: HUNG, talk_status: '124', control: '124' }),
    ...unseen(STATUS, PID),
  },
  {
    name: 'Shepherd refuses us for another reason',
    answers: shepherd(refused('13', 'Permission denied')),
    ...unseen(STATUS, PID),
  },
  {
    name: 'Shepherd answers something that is no reply',
    answers: shepherd({ talk_output: asked(['odd', 'pid', '(hello)']) }),
    ...unseen(STATUS, PID),
  },
  {
    name: "Shepherd's root service is stopped",
    answers: shepherd({ talk_output: answered('171', 'stopped') }),
    ...broken(STATUS),
  },
  {
    name: 'herd hangs',
    answers: herd({ herd_status: '124', control: '0' }),
    ...{ ...broken(STATUS, PID), says: /herd had no answer/ },
  },
  {
    name: 'herd hangs, and so does everything else',
    answers: herd({ herd_status: '124', control: '124' }),
    ...unseen(STATUS, PID),
  },
  {
    name: 'herd answers in another locale',
    answers: herd({
      herd_output: 'Status von root:\n  Läuft seit 09:12.\n',
      ...{ herd_pid_status: '0', herd_pid_output: '171\n' },
    }),
    ...unseen(STATUS),
  },
  {
    name: 'herd says that root is stopped, with exit status 0',
    answers: herd({
      herd_output: 'Status of root:\n  It is stopped.\n',
      ...{ herd_pid_status: '0', herd_pid_output: '171\n' },
    }),
    ...broken(STATUS),
  },
];
