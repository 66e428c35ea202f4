/**
 * Asks the running Shepherd over its control socket, and says what the answers mean. Shared by the
 * probes of Shepherd's status and of its pid.
 *
 * The socket's own protocol comes first, spoken by a Guile of ours: it names errors by number and
 * states by symbol, where herd's texts changed between versions. herd is the second way, for a guest
 * whose Guile does not run outside its wrappers. A live answer can only come from the process that
 * holds the socket; a socket file alone proves nothing, since it stays when its Shepherd is gone.
 */
import type { GuestPaths, Observation } from '../model.ts';
import { SAY, said } from './guile-output.ts';
import { guileRuntime, RUNTIME_PATHS, RUNTIME_RUNS } from './guile-runtime.ts';
import { quote, words } from './quote.ts';

/** The places that `askShepherd` looks at. */
export const TALK_PATHS: readonly (keyof GuestPaths)[] = ['shepherdSocket', ...RUNTIME_PATHS, 'herd'];
/** What is run of the guest's own. */
export const TALK_RUNS: readonly string[] = [
  ...RUNTIME_RUNS,
  '`(getpid)`, evaluated by the running Shepherd, which is asked for its status, too',
  'herd, where that Guile does not run',
];

/** A healthy Shepherd answers in 10 ms; Guile itself takes 0.1 s on hardware. */
const TALK_S = 6;
const HERD_S = 4;
/** A hang counts where the same program, asked for nothing, is back in this: else the machine is only slow. */
const CONTROL_S = 1;
const OUTPUT_BYTES_MAX = 16_384;
/** ENOENT, and ECONNREFUSED of Linux and of FreeBSD. Any other error (no permission) shows nothing of Shepherd. */
const NOBODY_LISTENS: readonly string[] = ['2', '111', '61'];

/**
 * Tries each socket given as argument until one answers. The reply is read as data. Before 1.0 a
 * service had no `status`: there, `running` that is not false means running.
 */
const PROGRAM = `${SAY}
(define (ask path action arguments)
  (let ((port (socket PF_UNIX SOCK_STREAM 0)))
    (connect port AF_UNIX path)
    (write (list 'shepherd-command '(version 0) (list 'action action) '(service root)
                 (list 'arguments arguments) '(directory "/"))
           port)
    (newline port)
    (force-output port)
    (let ((reply (read port)))
      (close-port port)
      reply)))
(define (property key properties)
  (let ((found (and (list? properties) (assq key (filter pair? properties)))))
    (and found (pair? (cdr found)) (cadr found))))
(define (answer word reply use)
  (cond ((eof-object? reply) (say "closed" word))
        ((not (and (pair? reply) (eq? (car reply) 'reply))) (say "odd" word (object->string reply)))
        ((property 'error (cdr reply)) => (lambda (error) (say "error" word (object->string error))))
        (else (use (property 'result (cdr reply))))))
(define (status-of service)
  (or (property 'status service) (if (property 'running service) 'running 'stopped)))
(define (services result)
  (for-each
    (lambda (service)
      (let ((names (property 'provides (cdr service))))
        (if (pair? names)
            (apply say "service" (car names) (status-of (cdr service)) (cdr names))
            (say "service" "?" (status-of (cdr service))))))
    (filter pair? (if (and (pair? result) (pair? (car result)) (pair? (caar result))) (car result) (or result '())))))
(define (talk path)
  (say "asking" path)
  (attempt
    (lambda ()
      (answer "pid" (ask path 'eval '("(getpid)"))
        (lambda (result) (say "pid" (if (pair? result) (car result) result))))
      (answer "status" (ask path 'status '()) services)
      (say "answered" path)
      #t)
    (lambda (key text args)
      (if (eq? key 'system-error)
          (say "errno" path (car (list-ref args 3)) text)
          (say "threw" path key text))
      #f)))
(say "started" (version))
(let loop ((paths (cdr (command-line))))
  (if (pair? paths) (or (talk (car paths)) (loop (cdr paths)))))
(say "done")
`;

/** The script's body. Facts: `sockets`, `hidden`, `guile…`, `talk_status`, `talk_output`, `herd…`, `pid_file…`. */
export function askShepherd(paths: GuestPaths): string {
  return `${guileRuntime(paths)}
set --
# shellcheck disable=SC2041 # a list may have one entry
for socket in ${words(paths.shepherdSocket)}; do
  folder=\${socket%/*}
  if [ -S "$socket" ]; then
    set -- "$@" "$socket"
  elif [ -d "$folder" ] && ! [ -x "$folder" ]; then
    fact hidden "$folder"
    break
  fi
done
fact sockets "$*"
talked=
if [ $# -gt 0 ]; then
  find_runtime
  if [ -n "$rt_guile" ]; then
    talked=$(run_guile ${TALK_S} -c ${quote(PROGRAM)} "$@" 2>&1)
    status=$?
    fact talk_status "$status"
    [ "$status" -ne 124 ] || control_guile
    fact_start talk_output ${OUTPUT_BYTES_MAX} "$talked"
  fi
  # A Guile that never said that it asked has observed nothing.
  case $talked in
    *asking*) ;;
    *)
      # shellcheck disable=SC2041
      for herd in ${words(paths.herd)}; do
        [ -x "$herd" ] || continue
        fact herd "$herd"
        said=$(bounded ${HERD_S} "$herd" -s "$1" status root 2>&1)
        status=$?
        fact herd_status "$status"
        fact_start herd_output ${OUTPUT_BYTES_MAX} "$said"
        if [ "$status" -eq 124 ]; then
          bounded ${CONTROL_S} "$herd" --version >/dev/null 2>&1
          fact control "$?"
          break
        fi
        said=$(bounded ${HERD_S} "$herd" -s "$1" eval root '(getpid)' 2>/dev/null)
        fact herd_pid_status "$?"
        fact_start herd_pid_output 256 "$said"
        said=$(bounded ${HERD_S} "$herd" -s "$1" status 2>/dev/null)
        fact herd_all_status "$?"
        fact_start herd_all_output ${OUTPUT_BYTES_MAX} "$said"
        break
      done
      ;;
  esac
fi
:`;
}

/** What the talk with Shepherd came to. */
export type ShepherdTalk =
  /** `pid` or `status` null: this part was not answered, `seen` says how. */
  | { readonly kind: 'answered'; readonly pid: number | null; readonly status: string | null; readonly seen: string }
  /** Nobody listens. */
  | { readonly kind: 'not running'; readonly seen: string }
  /** Somebody took the connection and said nothing. */
  | { readonly kind: 'not answering'; readonly seen: string }
  | { readonly kind: 'unobserved'; readonly seen: string };

/** Reads the facts of `askShepherd`. Without any socket there is nobody to ask: not running. */
export function readTalk(observation: Observation, paths: GuestPaths): ShepherdTalk {
  if (observation.state === 'unseen') return { kind: 'unobserved', seen: observation.reason };
  const { facts } = observation;
  const { sockets } = facts;
  if (sockets === undefined) return { kind: 'unobserved', seen: 'the guest did not say which sockets there are' };
  if (sockets === '' && facts.hidden !== undefined) {
    return { kind: 'unobserved', seen: `${facts.hidden} may not be searched` };
  }
  if (sockets === '') return { kind: 'not running', seen: `no socket at ${paths.shepherdSocket.join(', ')}` };
  const spoken = facts.talk_output;
  if (spoken !== undefined && said(spoken).some(({ word }) => word === 'asking')) {
    return spokenTalk(spoken, facts);
  }
  if (facts.herd !== undefined) return herdTalk(facts);
  const guile = facts.guile === '' ? 'no guile in the store' : `Guile ended with status ${facts.talk_status ?? '?'}`;
  return { kind: 'unobserved', seen: `tool missing: herd (${paths.herd.join(', ')}), and ${guile}` };
}

/** Nothing came in time: a hang, where the control shows that the machine is not merely slow. */
function silence(seen: string, facts: Readonly<Record<string, string>>): ShepherdTalk {
  if (facts.control === '0') return { kind: 'not answering', seen };
  return { kind: 'unobserved', seen: `${seen}, but the machine is too slow to tell a hang` };
}

function spokenTalk(output: string, facts: Readonly<Record<string, string>>): ShepherdTalk {
  const status = facts.talk_status;
  const lines = said(output);
  const field = (word: string, i: number): string | undefined => lines.find((line) => line.word === word)?.fields[i];
  const pid = field('pid', 0);
  const root = lines.find(({ word, fields }) => word === 'service' && fields[0] === 'root')?.fields[1];
  if (pid !== undefined || root !== undefined) {
    const odd = lines.find(({ word }) => word === 'closed' || word === 'odd' || word === 'error');
    const seen = odd === undefined ? `socket ${field('asking', 0)}` : `${odd.word} ${odd.fields.join(' ')}`;
    return { kind: 'answered', pid: number(pid), status: root ?? null, seen };
  }
  const last = lines.at(-1);
  if (status === '124') return silence(`no answer at ${last?.fields[0]}`, facts);
  const errors = lines.filter(({ word }) => word === 'errno');
  const sockets = lines.filter(({ word }) => word === 'asking');
  const nobody = errors.every(({ fields }) => NOBODY_LISTENS.includes(fields[1] ?? ''));
  if (errors.length > 0 && errors.length === sockets.length && nobody) {
    return { kind: 'not running', seen: errors.map(({ fields }) => `${fields[0]}: ${fields[2]}`).join('; ') };
  }
  const seen = lines.filter(({ word }) => !['started', 'asking', 'answered', 'done'].includes(word));
  return {
    kind: 'unobserved',
    seen: `no usable answer: ${seen.map(({ word, fields }) => [word, ...fields].join(' ')).join('; ')}`,
  };
}

/** herd's texts: 1.0 says `It is running`, 0.9 `It is started`. Its exit status is 0 for a stopped service too. */
function herdTalk(facts: Readonly<Record<string, string>>): ShepherdTalk {
  const { herd_status: status = '', herd_output: output = '', herd_pid_output: answer = '' } = facts;
  const seen = `${facts.herd}: ${output.trim().split('\n').at(-1) ?? ''}`.slice(0, 300);
  if (status === '124') return silence(`${facts.herd} had no answer`, facts);
  if (status === '0') {
    const state = /^\s+It is (running|started|stopped|starting|stopping)/m.exec(output)?.[1] ?? null;
    const pid = facts.herd_pid_status === '0' ? (answer.trim().split('\n').at(-1) ?? '') : undefined;
    return { kind: 'answered', pid: number(pid), status: state === 'started' ? 'running' : state, seen };
  }
  if (/Connection refused|No such file or directory/.test(output) && /^herd: error: /m.test(output)) {
    return { kind: 'not running', seen };
  }
  return { kind: 'unobserved', seen: `herd ended with status ${status}: ${seen}` };
}

function number(text: string | undefined): number | null {
  return text !== undefined && /^[0-9]{1,10}$/.test(text.trim()) ? Number(text) : null;
}
