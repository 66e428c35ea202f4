/** Guests whose sshd is absent, deaf, dead or refuses us: rows of the matrix. */
import { broken, type Row, SILENT, undetermined } from '../../wire/rows.ts';
import { guest } from './facts.ts';

/** The image, the control, the image once more. */
const twice = (boot: object) => ({ guests: [{ boot }, {}, { boot }] });
/** Nothing here answers, so that waiting longer shows nothing more. */
const SCALE = 0.15;

export const SSHD: readonly Row[] = [
  {
    name: 'no sshd: closed at once',
    answers: twice({ sshd: 'immediate-end' }),
    ...{ scale: SCALE, ...SILENT, says: /twice .* control image answered/ },
  },
  {
    name: 'no DHCP: not a byte',
    answers: twice({ sshd: 'never' }),
    ...{ scale: SCALE, ...SILENT, says: /no banner/ },
  },
  {
    name: 'a banner, then silence',
    answers: twice({ sshd: 'banner-then-silence' }),
    ...{ scale: SCALE, ...SILENT, says: /then silence/ },
  },
  {
    name: 'the key is refused',
    answers: { guests: [{ boot: { sshd: 'refuse-key' } }] },
    ...undetermined('SSH_KEY_REFUSED', /key refused/),
  },
  {
    name: 'nothing can be agreed with its sshd',
    answers: { guests: [{ boot: { sshd: 'old-algorithms' } }] },
    ...undetermined('SSH_NO_AGREEMENT', /no matching key exchange/),
  },
  {
    name: 'the login has no shell that runs',
    answers: guest({ 'guest-identity': { raw: '', exit: 127, stderr: 'sh: not found\n' } }),
    ...undetermined('SSH_COMMAND_FAILED', /the first command failed/),
  },
  {
    name: 'sshd took this session and serves nobody any more',
    answers: guest({ 'sshd-status': { facts: { listener: 'no', process: 'no' } } }),
    ...broken('sshd_status'),
  },
];
