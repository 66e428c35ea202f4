/**
 * The envelope of every question to a guest: a POSIX sh text with marked answers out, an Observation
 * back. The guest's output is hostile until its marks prove that it is whole and ours.
 *
 * Why a nonce: login banners, rc files and whatever else writes to the session's output may say
 * `compat_prefix_shims=absent`. Only lines that carry this question's random mark count, every fact
 * must come once, and the end line proves that nothing was cut off.
 */
import type { CommandRecord, Observation } from '../model.ts';

/** What is asked of the guest. */
export interface FrameOrder {
  /** Name of the probe, as it stands in the script's first line. */
  readonly probe: string;
  /** Fresh random lower-case hex, at least 16 digits: one per question, never used again. */
  readonly nonce: string;
  /** Body of `main`; it may use `fact`, `fact_start`, `bounded` and `have`, must not call `exit`, and ends well. */
  readonly body: string;
  /** What `bounded` multiplies its seconds with: the lab's budget scale. Default 1. */
  readonly patience?: number;
}

/**
 * - `fact KEY VALUE` prints one marked line: plain text as `=VALUE` (no process is started for it, and
 *   processes are what a probe costs under emulation), anything else as hex through od.
 * - `fact_start KEY BYTES VALUE` states only the beginning of a text that may be long.
 * - `bounded SECONDS CMD ...` has the status of CMD, or 124 where it had to be killed. FreeBSD and GNU
 *   `timeout` say 124 or 137, busybox 143 or 137, so only the elapsed time tells expiry from a command
 *   that ended so by itself; the latter's own 124 becomes 125.
 */
const PRELUDE = `\
LC_ALL=C
export LC_ALL
PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin
export PATH
umask 077

have() {
  command -v "$1" >/dev/null 2>&1
}

fact() {
  case $2 in
    *[!A-Za-z0-9\\ _./:,=+@%#-]*)
      printf '@%s\\t%s\\t%s\\n' "$BW_NONCE" "$1" "$(printf %s "$2" | od -An -v -tx1 | tr -d ' \\t\\n')"
      ;;
    *) printf '@%s\\t%s\\t=%s\\n' "$BW_NONCE" "$1" "$2" ;;
  esac
}

# Seconds that only go forward, where the kernel shows them without starting a process.
bw_clock() {
  bw_now=
  if [ -r /proc/uptime ]; then read -r bw_now </proc/uptime; fi
  bw_now=\${bw_now%%.*}
  [ -n "$bw_now" ] || bw_now=$(date +%s)
}

# The beginning of a long text; a short one costs no process.
fact_start() {
  if [ "\${#3}" -le "$2" ]; then fact "$1" "$3"; else fact "$1" "$(printf %s "$3" | head -c "$2")"; fi
}

bounded() {
  bw_limit=$(($1 * BW_PATIENCE))
  shift
  bw_clock
  bw_began=$bw_now
  if have timeout; then
    timeout -s KILL "$bw_limit" "$@" </dev/null
    bw_status=$?
  else
    "$@" </dev/null &
    bw_child=$!
    (
      bw_waited=0
      while [ "$bw_waited" -lt "$bw_limit" ]; do
        sleep 1
        kill -0 "$bw_child" || exit 0
        bw_waited=$((bw_waited + 1))
      done
      kill -9 "$bw_child"
    ) >/dev/null 2>&1 &
    bw_watch=$!
    wait "$bw_child"
    bw_status=$?
    kill "$bw_watch" 2>/dev/null
  fi
  bw_clock
  bw_took=$((bw_now - bw_began))
  case $bw_status in
    124 | 137 | 143)
      [ "$bw_took" -lt "$bw_limit" ] || return 124
      [ "$bw_status" -ne 124 ] || return 125
      ;;
  esac
  return "$bw_status"
}
`;

/**
 * Builds the text for standard input of the remote command `exec /bin/sh -s` (the one form that sh,
 * csh and fish as login shells all understand). `main` reads nothing from standard input: a program
 * in the body would otherwise eat the rest of the script.
 * @throws TypeError for a probe name, nonce or patience that is not of its form: our bug.
 */
export function frame(order: FrameOrder): string {
  const { probe, nonce, body, patience = 1 } = order;
  if (!/^[a-z][a-z0-9-]*$/.test(probe)) throw new TypeError(`probe name: expected kebab-case, given '${probe}'`);
  if (!/^[0-9a-f]{16,64}$/.test(nonce)) throw new TypeError(`nonce: expected 16 to 64 hex digits, given '${nonce}'`);
  if (!(patience >= 1 && patience <= 1000)) throw new TypeError(`patience: expected 1 to 1000, given ${patience}`);
  return [
    `BW_PROBE='${probe}'`,
    `BW_NONCE='${nonce}'`,
    `BW_PATIENCE=${Math.ceil(patience)}`,
    PRELUDE,
    'main() {',
    body.trim(),
    '}',
    '',
    // A banner without a final newline would glue itself to the first mark.
    String.raw`printf '\n'`,
    'fact probe "$BW_PROBE"',
    'main </dev/null',
    String.raw`printf '@%s\tend\t%s\n' "$BW_NONCE" "$?"`,
    '',
  ].join('\n');
}

/**
 * Reads the answer to `frame`. Unseen, with the reason, wherever the answer is not provably whole:
 * the channel failed, the output was cut, a mark is malformed, a fact came twice.
 */
export function unframe(record: CommandRecord, nonce: string): Observation {
  if (record.timedOut) return unseen(`no end within ${(record.durationMs / 1000).toFixed(1)} s: timed out`);
  if (record.transport !== null) return unseen(`the channel failed: ${record.transport}`);
  if (record.truncated) return unseen('cut: more output than is kept');

  const facts: Record<string, string> = {};
  let end: string | null = null;
  for (const line of record.stdout.split('\n')) {
    if (!line.includes(nonce)) continue;
    const text = line.replace(/\r$/, '');
    if (end !== null) return unseen('the answer went on after its end');
    const [mark, key, coded, ...rest] = text.split('\t');
    if (mark !== `@${nonce}` || key === undefined || coded === undefined || rest.length > 0) {
      return unseen(`malformed line: ${JSON.stringify(text.slice(0, 120))}`);
    }
    if (key === 'end') {
      end = coded;
      continue;
    }
    if (!/^[a-z][a-z0-9_.]*$/.test(key)) return unseen(`malformed key: ${JSON.stringify(key)}`);
    if (Object.hasOwn(facts, key)) return unseen(`${key} came twice`);
    const value = decoded(coded);
    if (value === null) return unseen(`${key} is neither text nor hex: ${JSON.stringify(coded.slice(0, 60))}`);
    facts[key] = value;
  }
  if (end === null) return unseen(cutReason(record));
  if (end !== '0') return unseen(`the script itself failed with status ${end}`);
  return { state: 'seen', facts };
}

function cutReason(record: CommandRecord): string {
  const status = record.signal === null ? `exit status ${record.exit}` : `signal ${record.signal}`;
  const said = record.stderr.trim().split('\n').at(-1) ?? '';
  return `cut: no end line (${status}${said === '' ? '' : `; stderr ends: ${said.slice(0, 200)}`})`;
}

/** `=text` of printable ASCII, or pairs of hex digits; null: neither, also where od or tr was missing. */
function decoded(coded: string): string | null {
  if (coded.startsWith('=')) return /^=[ -~]*$/.test(coded) ? coded.slice(1) : null;
  return /^(?:[0-9a-f]{2})+$/.test(coded) ? Buffer.from(coded, 'hex').toString('utf8') : null;
}

function unseen(reason: string): Observation {
  return { state: 'unseen', reason };
}
