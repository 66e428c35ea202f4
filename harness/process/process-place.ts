/**
 * Which process somebody was: a pid means something only on the same machine, boot and pid namespace, and there only
 * as long as nobody else has got it. Read from /proc; where there is none, what cannot be told is left out.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessPlace {
  readonly host: string;
  /** Null: this system does not tell. */
  readonly bootId: string | null;
  readonly pids: string | null;
  /** Machines that were cloned share their name, and a folder perhaps. Null: it has none; absent: nobody asked. */
  readonly machineId?: string | null;
  readonly pid: number;
  /** When it was started, in ticks since boot; null or absent: nobody knows. */
  readonly startTicks?: string | null;
}

function orNull(read: () => string): string | null {
  try {
    return read().trim();
  } catch {
    return null; // this system has none; what cannot be told is `unknown` later
  }
}

/** State and start of a process, proc_pid_stat(5): fields 3 and 22. The name before them may hold anything. */
function statOf(pid: number): { readonly state: string | null; readonly startTicks: string | null } {
  const text = orNull(() => readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? '';
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] || null, startTicks: fields[19] ?? null };
}

/** machine-id(5): 32 hex digits; in an image that was never booted empty, or `uninitialized`. */
function machineId(): string | null {
  const text = orNull(() => readFileSync('/etc/machine-id', 'utf8')) ?? '';
  return /^[0-9a-f]{32}$/.test(text) ? text : null;
}

/** @param pid a process that is seen from here; this one by default */
export function placeOf(pid: number = process.pid): ProcessPlace {
  return {
    host: hostname(),
    bootId: orNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    pids: orNull(() => readlinkSync('/proc/self/ns/pid')),
    machineId: machineId(),
    ...{ pid, startTicks: statOf(pid).startTicks },
  };
}

/** What of a stored place can be believed; null: it is none. */
export function placeIn(value: unknown): ProcessPlace | null {
  if (typeof value !== 'object' || value === null) return null;
  const {
    host,
    bootId = null,
    pids = null,
    machineId = null,
    pid,
    startTicks = null,
  } = value as Record<string, unknown>;
  const textOrNull = [bootId, pids, machineId, startTicks].every((each) => each === null || typeof each === 'string');
  return typeof host === 'string' && Number.isSafeInteger(pid) && Number(pid) > 0 && textOrNull
    ? (value as ProcessPlace)
    : null;
}

/**
 * `unknown`: on another machine or in another container.
 * @param here where this process is; given by tests
 */
export function processState(was: ProcessPlace, here: ProcessPlace = placeOf()): 'alive' | 'dead' | 'unknown' {
  const { host, bootId, pids } = here;
  if (was.host !== host) return 'unknown';
  if (was.machineId !== undefined && was.machineId !== here.machineId) return 'unknown';
  if (was.bootId !== bootId) return bootId === null || was.bootId === null ? 'unknown' : 'dead';
  if (was.pids !== pids) return 'unknown';
  try {
    process.kill(was.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'dead' : 'alive';
  }
  const { state, startTicks } = statOf(was.pid);
  // A zombie has ended; containers without an init keep them.
  if (state === 'Z' || state === 'X') return 'dead';
  const known = typeof was.startTicks === 'string' && startTicks !== null;
  return known && was.startTicks !== startTicks ? 'dead' : 'alive';
}

/**
 * Is it surely this process, and not another one that has got its pid? To be asked before it is sent a signal.
 * False where nobody can tell.
 */
export const isSurely = (was: ProcessPlace): boolean =>
  processState(was) === 'alive' && typeof was.startTicks === 'string' && statOf(was.pid).startTicks === was.startTicks;
