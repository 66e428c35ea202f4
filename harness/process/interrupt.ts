/**
 * Signals: the first asks for an orderly end, the second leaves at once. One press of Ctrl-C can
 * arrive several times (the terminal signals the whole group, npm passes it on again): it counts once.
 * An exception that nobody caught ends a case in the same orderly way: Node's own end would leave the
 * VM running and exit with 1, which means that the image is to blame.
 */
import { EXIT } from '../../help/exits.ts';
import { Fault } from '../faults/faults.ts';

/** Signals closer together than this are one press of a key. */
const SAME_PRESS_MS = 700;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupt {
  readonly signal: AbortSignal;
  /** How many presses were counted. */
  presses(): number;
  remove(): void;
}

interface Listener {
  readonly onSignal: (signal: NodeJS.Signals) => void;
  readonly onBug: (error: unknown) => void;
}

/** All who listen. The process has one listener for each thing: runs side by side must not look like a leak. */
const listening = new Set<Listener>();
const passSignal = (signal: NodeJS.Signals): void => {
  for (const { onSignal } of [...listening]) onSignal(signal);
};
const passBug = (error: unknown): void => {
  for (const { onBug } of [...listening]) onBug(error);
};

/** @param onSecond is told when a second press comes; it must leave. */
export function listenForInterrupt(onFirst: (signal: string) => void, onSecond: () => void): Interrupt {
  const controller = new AbortController();
  let presses = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  const onSignal = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (nowMs - lastMs < SAME_PRESS_MS) return;
    lastMs = nowMs;
    presses++;
    if (presses > 1) {
      onSecond();
      return;
    }
    onFirst(signal);
    controller.abort(new Fault('INTERRUPTED', `interrupted by ${signal}`));
  };
  let bugs = 0;
  const onBug = (error: unknown): void => {
    if (++bugs > 1) process.exit(EXIT.bug);
    controller.abort(error instanceof Error ? error : new Error(String(error)));
  };
  const listener = { onSignal, onBug };
  if (listening.size === 0) {
    for (const each of SIGNALS) process.on(each, passSignal);
    process.on('uncaughtException', passBug);
  }
  listening.add(listener);
  return {
    signal: controller.signal,
    presses: () => presses,
    remove: () => {
      if (!listening.delete(listener) || listening.size > 0) return;
      for (const each of SIGNALS) process.removeListener(each, passSignal);
      process.removeListener('uncaughtException', passBug);
    },
  };
}

/** What aborted it, where that was no interrupt but a bug of ours; null: nothing did, or somebody asked for it. */
export function bugBehind({ aborted, reason }: AbortSignal): { readonly error: unknown } | null {
  return aborted && !(reason instanceof Fault && reason.code === 'INTERRUPTED') ? { error: reason } : null;
}

/**
 * The second press: what was created may stay, so it is said how to find it.
 * @param remedy the command that takes it away
 * @param embedded the lab that was started for the run, which must not stay; null: there is none
 * @param clear takes away what must not stay on the terminal
 */
export function leaveAtOnce(
  workdir: string,
  remedy: string,
  embedded: { abandon(): void } | null,
  clear: () => void,
): never {
  embedded?.abandon();
  clear();
  process.stderr.write(
    `left at once; what this run created may have stayed: ${remedy}\nsee ${workdir}/journal.ndjson\n`,
  );
  process.exit(EXIT.interrupted);
}
