/**
 * Runs work on rows with a bounded number at a time; each row's result can be awaited by itself. A row waits more than
 * it works, and so many go at once; but lab and run of most rows are in this process, and on a slow machine they would
 * starve each other until a guest that answers counts as silent. So a row begins when this process has time for one.
 */
import { performance } from 'node:perf_hooks';

/** How long is looked at what this process does. */
const LOOK_MS = 100;
/** Of that time, at most, it worked, or no row is begun. */
const BUSY_SHARE = 0.8;
/** A timer that comes later than that says that others have the machine. */
const LATE_MS = 100;

/** Rows of all lanes of this process that go on. */
let going = 0;
/** Rows begin one after the other: what the last one costs must be seen. */
let door: Promise<void> = Promise.resolve();

/** Resolves when another row may begin: at once where none goes on, so that there is no end to no work. */
async function room(): Promise<void> {
  while (going > 0) {
    const before = performance.eventLoopUtilization();
    const startedMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const lateMs = performance.now() - startedMs - LOOK_MS;
    const { utilization } = performance.eventLoopUtilization(before);
    if (utilization < BUSY_SHARE && lateMs < LATE_MS) return;
  }
}

function enter(): Promise<void> {
  door = door.then(room).then(() => {
    going++;
  });
  return door;
}

export function inLanes<Row, Result>(
  lanes: number,
  rows: readonly Row[],
  work: (row: Row) => Promise<Result>,
): ReadonlyMap<Row, Promise<Result>> {
  const free: (() => void)[] = [];
  let running = 0;
  const acquire = (): Promise<void> => {
    if (running < lanes) {
      running++;
      return Promise.resolve();
    }
    return new Promise((resolve) => free.push(resolve));
  };
  const release = (): void => {
    const next = free.shift();
    if (next === undefined) running--;
    else next();
  };
  const results = new Map<Row, Promise<Result>>();
  for (const row of rows) {
    const result = acquire()
      .then(enter)
      .then(async () => {
        try {
          return await work(row);
        } finally {
          going--;
          release();
        }
      });
    // Whoever awaits the row sees the failure; until then it is not unhandled.
    result.catch(() => undefined);
    results.set(row, result);
  }
  return results;
}
