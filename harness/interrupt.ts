/**
 * Signals: the first asks for an orderly end, the second leaves at once. One press of Ctrl-C can
 * arrive several times (the terminal signals the whole group, npm passes it on again): it counts once.
 */
import { Fault } from './faults.ts';

/** Signals closer together than this are one press of a key. */
const SAME_PRESS_MS = 700;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupt {
  readonly signal: AbortSignal;
  /** How many presses were counted. */
  presses(): number;
  remove(): void;
}

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
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    presses: () => presses,
    remove: () => {
      for (const signal of SIGNALS) process.removeListener(signal, onSignal);
    },
  };
}
