/** A night that a bug of ours ends: its reports are written, and it does not look as if somebody had pressed Ctrl-C. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { nightly } from '../../../harness/commands/nightly.ts';
import { Fault } from '../../../harness/faults/faults.ts';
import { NIGHT_OPTIONS } from '../../../harness/options/command-options.ts';
import { Given } from '../../../harness/options/given.ts';
import type { Event } from '../../../harness/progress/event.ts';
import { plainProgress } from '../../../harness/progress/open.ts';
import { PHASES } from './phases.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-nightly-bug-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const plan = join(dir, 'plan.toml');
writeFileSync(plan, '[images.reference]\n[labs.own]\nlab = "embedded"\n');

/** A night that was ended for this reason before its first case. */
async function ended(reason: unknown) {
  const json = join(dir, 'night.json');
  rmSync(json, { force: true });
  const args = ['--plan', plan, '--workdirs', dir, '--reports-dir', 'none', '--json', '--report-json', json];
  const stop = new AbortController();
  stop.abort(reason);
  const events: Event[] = [];
  const told = plainProgress({ write: () => true }, (event) => events.push(event));
  const given = new Given(NIGHT_OPTIONS, args, {}, null);
  const call = { given, environment: {}, print: () => undefined, told, signal: stop.signal };
  const code = await nightly(PHASES)
    .run(call)
    .catch((thrown: unknown) => thrown);
  const written = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')).exitCode : null;
  // Of cases, as their events say why none was begun; no test is.
  const skipped = events.map((event) => (event.event === 'case-ends' ? event.skipped : null)).filter(Boolean);
  return { code, written, skipped, names: events.map(({ event }) => event) };
}

t.test('a bug ends the night with its own error, after the reports, which have 70', async (t) => {
  const bug = new TypeError('read of undefined');
  const { code, written, names, skipped } = await ended(bug);
  t.equal(code, bug, 'thrown: whoever called prints its stack, and ends with 70');
  t.equal(written, 70);
  t.ok(
    skipped.length > 0 && skipped.every((why) => why === 'the night was ended by a bug of ours before it was its turn'),
  );
  t.notOk(names.includes('night-ends'), 'its end is that it is refused, told by whoever called');
});

t.test('an interrupt ends it as ever', async (t) => {
  const { code, written, names } = await ended(new Fault('INTERRUPTED', 'interrupted by SIGINT'));
  t.same([code, written, names.at(-1)], [130, 130, 'night-ends']);
});
