/**
 * sshd_status: an SSH server serves this guest.
 *
 * Observed: a listener on the port that took this very session (else 22) in the kernel's socket
 *   table, and a process named sshd; rc's own opinion only where neither could be read.
 * Proof: this script runs in a session that an sshd accepted; a listener or an sshd process shows
 *   that it still serves. The witnesses are weighed: one that says yes is enough, one that disagrees
 *   is recorded (rc knows nothing of an sshd that Shepherd started). Only where every witness that
 *   could be read says no has the server gone since our session began.
 * What could fool it: a session outlives its listener, and before OpenSSH 9.8 the session's own
 *   process was named sshd too; so the process is the weaker witness and the facts say which one
 *   it was.
 */
import type { Check, Probe } from '../model.ts';
import { check } from './check.ts';

const NAME = 'sshd_status';
const EXPECTED = 'running';
const WITNESSES = ['listener', 'process', 'service'] as const;

/** In /proc/net/tcp: local port in hex, state 0A is LISTEN. sockstat prints its header without a row too. */
const body = `
# Client's address and port, then ours: the fourth word.
# shellcheck disable=SC2086 # split on purpose
set -- $SSH_CONNECTION
port=\${4:-22}
fact port "$port"
listener=unread
process=unread
if have sockstat; then
  found=$(sockstat -4 -6 -l -p "$port" 2>/dev/null) && listener=no
  fact sockstat "$found"
  case $(printf '%s\\n' "$found" | awk -v p=":$port" '$5 ~ /^tcp/ && substr($6, length($6) - length(p) + 1) == p') in
    ?*) listener=yes ;;
  esac
elif [ -r /proc/net/tcp ]; then
  hex=$(printf '%04X' "$port")
  listener=no
  for table in /proc/net/tcp /proc/net/tcp6; do
    [ -r "$table" ] || continue
    while read -r slot local remote state rest; do
      case $slot$local$remote$state in
        *":$hex"*0A) [ "$state" != 0A ] || [ "\${local##*:}" != "$hex" ] || listener=yes ;;
      esac
    done <"$table"
  done
fi
if have pgrep; then
  if pgrep -x sshd >/dev/null 2>&1; then process=yes; else process=no; fi
else
  for comm in /proc/[0-9]*/comm; do
    [ -r "$comm" ] || continue
    [ "$process" = yes ] || process=no
    name=
    read -r name <"$comm" 2>/dev/null || :
    [ "$name" != sshd ] || process=yes
  done
fi
fact listener "$listener"
fact process "$process"
if [ "$listener$process" = unreadunread ] && [ -r /etc/rc.subr ] && have service; then
  if service sshd onestatus >/dev/null 2>&1; then fact service yes; else fact service no; fi
fi
:`;

export const sshdStatus: Probe = {
  name: 'sshd-status',
  look: 'settled',
  paths: [],
  runs: ["rc's `service sshd onestatus`, where neither sockets nor processes can be read"],
  observe: (guest) => guest.run(body),
  expect: (observation): readonly [Check] => {
    if (observation.state === 'unseen') return [check.unobserved(NAME, EXPECTED, observation.reason)];
    const says = (answer: string): readonly string[] =>
      WITNESSES.filter((witness) => observation.facts[witness] === answer);
    if (says('yes').length > 0) return [check.held(NAME, EXPECTED, EXPECTED)];
    const no = says('no');
    // rc alone cannot deny an sshd that it did not start.
    if (no.some((witness) => witness !== 'service')) {
      const port = observation.facts.port ?? '22';
      const reason = `no ${no.join(', no ')} of sshd at port ${port}, though this session was accepted`;
      return [check.failed(NAME, EXPECTED, 'not running', reason)];
    }
    return [check.unobserved(NAME, EXPECTED, 'tool missing: sockstat, /proc/net/tcp, pgrep, /proc')];
  },
};
