/** What the lab can be told to do wrong: the table of mishaps. */
import { METRICS_PATTERN } from './guest-metrics.ts';

export interface MishapRow {
  /** What a value must look like; null: takes none. */
  readonly value: { readonly meaning: string; readonly accepts: RegExp; readonly fallback?: string } | null;
  readonly sentence: string;
}

const SECONDS = /^\d+(\.\d+)?$/;
const WHOLE = /^\d+$/;
/** Which of its calls: every one, the first one (`once`), or the n-th, counted from when the mishap is switched on. */
const CALLS = /^[a-z]+\.[a-zA-Z]+(:(once|[1-9]\d*))?$/;
const CALLS_MEANING = 'method, method:once, or method:N for its N-th call';

export const RESTART_SECONDS = 2;
/** Of `vanish-pool` where no method is named. */
export const AFTER_START = 'after vm.start';

const without = (sentence: string): MishapRow => ({ value: null, sentence });
const taking = (meaning: string, accepts: RegExp, sentence: string, fallback?: string): MishapRow => ({
  value: fallback === undefined ? { meaning, accepts } : { meaning, accepts, fallback },
  sentence,
});

export const MISHAPS = {
  'upload-cut': taking(
    'fraction from 0 to 1, or fraction:once',
    /^(0(\.\d+)?|1(\.0+)?)(:once)?$/,
    'An upload loses its connection after this fraction of its body; no new VDI stays.',
    '0.5',
  ),
  'upload-restart': taking(
    'fraction from 0 to 1, and :seconds',
    /^(0(\.\d+)?|1(\.0+)?)(:\d+(\.\d+)?)?$/,
    'Xen Orchestra restarts after this fraction of an upload, once: all connections are cut, for 2 seconds by default.',
    '0.5',
  ),
  'transfer-fails': without('The pool refuses the content of every upload (VDI_IO_ERROR); no new VDI stays.'),
  'sr-full': without('The SR makes no new disk (SR_BACKEND_FAILURE_44), and its figures do not show it.'),
  'sr-size': taking('MiB', WHOLE, 'The SR shows that size.'),
  'sr-thick': without('The SR is one that reserves disks in full (lvm).'),
  'sr-maintenance': without('The SR is in maintenance mode.'),
  'sr-detached': without('The SR is detached: its PBDs are not attached.'),
  'host-free': taking('MiB', WHOLE, 'Each host has that much memory left for guests; shown, and enforced.'),
  'host-disabled': without('The first host is disabled, as in maintenance mode.'),
  'second-host': taking(
    'local or shared',
    /^(local|shared)$/,
    'The pool has a second host, with an SR of its own of the same name (local), or one that sees the SR (shared).',
    'local',
  ),
  'placed-elsewhere': without('A VM is started on the other host than it was asked for; with second-host.'),
  'no-default-template': without('The pool has no template "Other install media", but another default one.'),
  'no-memory': without('No VM starts: no host has the memory (code 7).'),
  'dead-network': without('Guests have a NIC, but not a byte passes it.'),
  'drop-session-before': taking(
    CALLS_MEANING,
    CALLS,
    'The WebSocket is cut when a call of this method arrives; the call is not carried out.',
  ),
  'drop-session-after': taking(
    CALLS_MEANING,
    CALLS,
    'The WebSocket is cut when a call of this method arrives; the call is carried out, its reply is lost.',
  ),
  'drop-session-replied': taking(
    CALLS_MEANING,
    CALLS,
    'The WebSocket is cut right after the reply to a call of this method.',
  ),
  'revoke-token': taking(
    CALLS_MEANING,
    CALLS,
    'The token of the session ends when a call of this method arrives: no reply, the connection closes.',
  ),
  restart: taking(
    'method, and :seconds',
    /^[a-z]+\.[a-zA-Z]+(:\d+(\.\d+)?)?$/,
    'Xen Orchestra restarts at a call of this method, once: all connections are cut, for 2 seconds by default.',
  ),
  'start-fails': taking(
    'XAPI error code',
    /^[A-Z][A-Z0-9_]*$/,
    'No VM starts: vm.start fails with this error of the XAPI.',
  ),
  'start-fails-late': without('vm.start says yes, and the VM does not run.'),
  'start-comes-late': taking('seconds', SECONDS, 'vm.start says yes, and the VM runs this much later.', '2'),
  'deleted-before': taking(
    CALLS_MEANING,
    CALLS,
    'Somebody else deletes the VM with its disks just before a call of this method on it.',
  ),
  'halted-before': taking(
    CALLS_MEANING,
    CALLS,
    'Somebody else powers the VM off just before a call of this method on it.',
  ),
  'stuck-power-state': taking('seconds', SECONDS, 'A hard vm.stop says yes, and the VM runs on for this long.', '3'),
  'blocked-operation': taking(
    'operation',
    /^[a-z_]+$/,
    'This operation is blocked on every new VM (start, destroy, hard_shutdown …).',
  ),
  'no-clean-shutdown': taking(
    '10 or 14',
    /^1[04]$/,
    'The code with which a clean vm.stop is refused: no PV drivers (10), or the feature is lacking (14, the default).',
  ),
  'vdi-in-use': taking(
    'number of tries',
    /^[1-9]\d*$/,
    'Disks cannot be deleted, as though in use, for this many tries; Xen Orchestra itself tries ten times.',
  ),
  'clock-offset': taking('seconds', /^-?\d+$/, "Xen Orchestra's clock is that far ahead of ours."),
  'no-rest-post': without('An older Xen Orchestra: its REST API cannot import a new disk.'),
  'no-rest': without('A still older Xen Orchestra: it has no REST API.'),
  'guest-metrics': taking(
    'addresses, each with @seconds where it is reported later; "own" is the right one',
    METRICS_PATTERN,
    'Guests report these addresses, one after the other, as those with guest tools do.',
    'own',
  ),
  'sr-chain-max': taking(
    'a number',
    /^[1-9]\d*$/,
    'The SR makes no clone of a disk whose copy-on-write chain is that long (SR_BACKEND_FAILURE_109); 30 otherwise.',
    '3',
  ),
  'no-coalesce': without("The SR's garbage collector does not run: base copies stay when clones go, chains grow."),
  'keep-old-blocks': without('What a VHD leaves out keeps its old content on the disk that is overwritten.'),
  stall: taking(CALLS_MEANING, CALLS, 'A call of this method is never answered, nor carried out.'),
  'keep-disk': without('vm.delete says true, but the disks stay, as real Xen Orchestra does when a disk is stuck.'),
  'vanish-pool': taking(
    'seconds, and @method or @upload',
    /^\d+(\.\d+)?(@([a-z]+\.[a-zA-Z]+|upload))?$/,
    'All objects vanish for this long, once, as when Xen Orchestra loses its pool: after the first vm.start, or as a ' +
      'call of this method, or an upload, arrives.',
    '5',
  ),
  'late-objects': taking('seconds', SECONDS, 'Objects and notifications lag this much more behind the replies.'),
  tell: taking(
    CALLS_MEANING,
    CALLS,
    'Nothing goes wrong: the log says that a call of this method arrived, just before.',
  ),
  'tell-upload': taking(
    'fraction from 0 to 1',
    /^(0(\.\d+)?|1(\.0+)?)$/,
    'Nothing goes wrong: the log says that this fraction of an upload has arrived, once.',
    '0.5',
  ),
  'sign-in-throttle': without('The first sign-in is refused as if a wrong one had come just before (-32000).'),
} as const satisfies Record<string, MishapRow>;

export type MishapName = keyof typeof MISHAPS;
