/** Runs work on rows with a bounded number at a time; each row's result can be awaited by itself. */
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
    const result = acquire().then(async () => {
      try {
        return await work(row);
      } finally {
        release();
      }
    });
    // Whoever awaits the row sees the failure; until then it is not unhandled.
    result.catch(() => undefined);
    results.set(row, result);
  }
  return results;
}
