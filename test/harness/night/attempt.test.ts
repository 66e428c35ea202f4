/** Attempts of a night as processes: what they cost the night's own process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { attempt } from '../../../harness/night/attempt.ts';
import { PHASES } from './phases.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-attempt-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

t.test('cases side by side share one listener for the end of the night, and none stays', async (t) => {
  const phase = join(dir, 'phase.mjs');
  writeFileSync(phase, "console.log('TAP version 14');\n");
  const image = { name: 'i', file: null, scenarios: [], expectClosure: null, sshKey: null, control: null };
  const theCase = (nth: number) => ({
    ...{ name: `phase9.i${nth}.l`, image, args: [], phase: { ...PHASES[0], file: pathToFileURL(phase) } },
    lab: { name: 'l', lab: 'l', images: [], parallel: null, args: [] },
    repeat: 'again',
  });
  const before = process.listeners('exit');
  const more = () => process.listeners('exit').filter((each) => !before.includes(each)).length;
  const { signal } = new AbortController();
  const all = [1, 2, 3].map((nth) =>
    attempt({
      theCase: theCase(nth),
      dir: join(dir, String(nth)),
      environment: {},
      args: [],
      onEvent: () => undefined,
      signal,
    }),
  );
  t.equal(more(), 1);
  for (const { verdict } of await Promise.all(all)) {
    t.match(verdict, {
      status: 'ERROR',
      cause: { code: 'HARNESS_BUG', message: /ended with exit code 0, without a r/ },
    });
  }
  t.equal(more(), 0);
});
