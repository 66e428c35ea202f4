/** The way that all progress takes: what is bounded, what is kept secret, what a bad reader or writer costs. */
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import t from 'tap';
import type { Event } from '../../../harness/progress/event.ts';
import { EventStream } from '../../../harness/progress/event-stream.ts';
import { EVENTS_FD, isLive, openProgress } from '../../../harness/progress/open.ts';
import type { Reporter } from '../../../harness/progress/progress.ts';
import { readEvents } from '../../../harness/progress/relay.ts';
import { Secret } from '../../../harness/workdir/secrets.ts';
import { byHand, of, runBegins, upload } from './by-hand.ts';

function collecting(): Reporter & { readonly events: Event[] } {
  const events: Event[] = [];
  const none = async (): Promise<void> => undefined;
  return { events, on: (event) => events.push(event), tick: null, end: none, leave: () => undefined };
}

const TO_ITS_END = { endMs: Number.POSITIVE_INFINITY, mustBeWhole: true };

t.test('a transfer is told a few times a second, its first and last piece always', async (t) => {
  const seen = collecting();
  const { tell, go } = byHand(seen);
  for (let mib = 1; mib <= 100; mib++) {
    tell(upload(mib, 100));
    go(0.01);
  }
  const done = seen.events.map((event) => (event.event === 'transfer' ? event.doneBytes / 1_048_576 : 0));
  t.same(done, [1, 26, 51, 76, 100]);
  tell(upload(1, 100));
  t.equal(seen.events.length, 6, 'another one begins');
});

t.test('waits are told once a second; of a case all that it lets through itself', async (t) => {
  const seen = collecting();
  const { tell, go } = byHand(seen);
  for (let nth = 0; nth < 10; nth++) {
    tell({ event: 'waiting', seen: 'nothing', waitedS: nth, budgetS: 60 });
    go(0.25);
  }
  t.equal(seen.events.length, 3);
  for (let nth = 0; nth < 3; nth++) tell({ event: 'waiting', seen: 'nothing', waitedS: nth, budgetS: 60 }, of('a'));
  t.equal(seen.events.length, 6);
});

t.test('no event holds a secret, and a secret that is a word of ours changes no event', async (t) => {
  new Secret('correct-horse');
  new Secret('note');
  const seen = collecting();
  const { progress } = byHand(seen);
  progress.note('token correct-horse at https://me:pass@xo.example.org');
  t.match(seen.events, [{ event: 'note', text: 'token [secret] at https://[secret]@xo.example.org' }]);
});

t.test('what a case tells is stamped anew, with its name, and keeps its time of day', async (t) => {
  const seen = collecting();
  const { progress, go } = byHand(seen);
  go(100);
  const told = { schema: 1, time: '2026-11-26T01:02:03.004Z', elapsedS: 3, case: null, attempt: null } as const;
  progress.relay({ ...told, ...runBegins }, of('phase9.a.pool', 2));
  t.match(seen.events, [{ ...told, elapsedS: 100, case: 'phase9.a.pool', attempt: 2, event: 'run-begins' }]);
});

t.test('a reader that stalls loses events that are counted, and no ending', async (t) => {
  const pieces: string[] = [];
  const waiting: (() => void)[] = [];
  const stalled = new Writable({
    write: (piece, _encoding, done) => {
      pieces.push(String(piece));
      waiting.push(done);
    },
  });
  const { progress, tell } = byHand(new EventStream(stalled, TO_ITS_END));
  for (let nth = 0; nth < 20; nth++) progress.note('x'.repeat(100_000));
  t.ok(stalled.writableLength < 1_300_000, 'what waits for it is bounded');
  tell({ event: 'refused', cause: { code: 'A', party: 'caller', message: 'm', remedy: 'r' }, exitCode: 2, hints: [] });
  const ended = progress.end();
  for (let done = waiting.shift(); done !== undefined; done = waiting.shift()) {
    done();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  const events = pieces
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const notes = events.filter(({ event }) => event === 'note').length;
  t.match(events.slice(notes), [{ event: 'lost', count: 20 - notes }, { event: 'refused' }]);
});

t.test('a reader that leaves is nobody’s fault; a full disk is told', async (t) => {
  const failing = (code: string): Writable =>
    new Writable({ write: (_piece, _encoding, done) => done(Object.assign(new Error(code), { code })) });
  const left = byHand(new EventStream(failing('EPIPE'), TO_ITS_END));
  left.progress.note('one');
  left.progress.note('two');
  await left.progress.end();
  const full = byHand(new EventStream(failing('ENOSPC'), TO_ITS_END));
  full.progress.note('one');
  await t.rejects(full.progress.end(), { code: 'OUTPUT_UNWRITABLE', message: /events cannot be written: ENOSPC/ });
  const unheard = byHand(new EventStream(failing('ENOSPC'), { endMs: 1, mustBeWhole: false }));
  unheard.progress.note('one');
  await unheard.progress.end();
  const never = new Writable({ write: () => undefined });
  const stuck = byHand(new EventStream(never, { endMs: 1, mustBeWhole: false }));
  stuck.progress.note('one');
  await stuck.progress.end();
  t.pass('and a parent that is stopped holds no run');
});

t.test('a reporter that throws ends nothing, keeps nothing from the others, and is told at the end', async (t) => {
  const seen = collecting();
  const bad = (): never => {
    throw new TypeError('of ours');
  };
  const throwing: Reporter = { on: bad, tick: { everyMs: 1, run: bad }, end: async () => bad(), leave: bad };
  const closed: string[] = [];
  const last: Reporter = { ...seen, end: async () => void closed.push('last') };
  const { progress, go } = byHand(throwing, last);
  progress.note('one');
  go(1);
  progress.leave();
  progress.note('two');
  t.match(seen.events, [{ text: 'one' }, { text: 'two' }]);
  await t.rejects(progress.end(), { name: 'TypeError', message: 'of ours' });
  t.same(closed, ['last'], 'the last events of the others are written');
});

t.test('what is no event is left out, and what a reporter cannot take ends nothing', async (t) => {
  const stream = new PassThrough();
  const events: Event[] = [];
  readEvents(stream, (event) => {
    if (event.event === 'warning') throw new TypeError('of a form that nobody knows');
    events.push(event);
  });
  const note = (text: string, schema = 1, event = 'note'): string =>
    `${JSON.stringify({ schema, event, time: 't', elapsedS: 0, case: null, attempt: null, text })}\n`;
  const all = [note('one'), '{"half\n', 'null\n', note('newer', 2), note('new', 1, 'toString'), note('', 1, 'warning')];
  const text = `${all.join('')}${note('two')}`;
  for (const piece of [text.slice(0, 17), text.slice(17, 300), text.slice(300)]) stream.write(piece);
  stream.end(note('three').slice(0, 20));
  await new Promise((resolve) => stream.once('end', resolve));
  t.match(events, [{ text: 'one' }, { text: 'two' }]);
});

t.test('a terminal that can be drawn on, and no CI behind it', async (t) => {
  const stderr = { isTTY: true, write: () => true };
  t.ok(isLive(stderr, { TERM: 'xterm' }));
  t.ok(isLive(stderr, { TERM: 'xterm', CI: '' }));
  for (const environment of [
    {},
    { TERM: 'dumb' },
    { TERM: '' },
    { TERM: 'xterm', CI: 'true' },
    { TERM: 'xterm', CI: '1' },
  ]) {
    t.notOk(isLive(stderr, environment), JSON.stringify(environment));
  }
  t.notOk(isLive({ write: () => true }, { TERM: 'xterm' }));
});

t.test('the descriptor for events has to be one', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'bw-events-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const sinks = { stdout: new PassThrough(), stderr: { write: () => true } };
  for (const fd of ['1', '2', 'x', '03', '999', '']) {
    const { problem } = openProgress([], { [EVENTS_FD]: fd }, sinks);
    t.match(problem, { code: 'BAD_ENVIRONMENT', message: /^BOOTWITNESS_EVENTS_FD: expected an open descriptor/ }, fd);
  }
  const fd = openSync(join(dir, 'events.ndjson'), 'w');
  const { progress, problem, json } = openProgress(['--quiet'], { [EVENTS_FD]: String(fd) }, sinks);
  t.same([problem, json], [null, false]);
  progress.note('one');
  await progress.end();
  t.match(JSON.parse(readFileSync(join(dir, 'events.ndjson'), 'utf8')), { event: 'note', text: 'one' });
  const unwritable = openSync(join(dir, 'events.ndjson'), 'r');
  const full = openProgress(['--quiet'], { [EVENTS_FD]: String(unwritable) }, sinks);
  full.progress.note('one');
  await t.rejects(full.progress.end(), { code: 'OUTPUT_UNWRITABLE' }, 'a file that has half of it, as on stdout');
});

t.test('switches are known before a call is checked, as it will understand them', async (t) => {
  const sinks = { stdout: new PassThrough(), stderr: { write: () => true } };
  const json = (args: readonly string[], environment = {}): boolean => openProgress(args, environment, sinks).json;
  t.ok(json(['--nonsense', '--json']));
  t.ok(json(['--json=true']));
  t.ok(json([], { BOOTWITNESS_JSON: 'true' }));
  t.notOk(json(['--json=false'], { BOOTWITNESS_JSON: 'true' }));
  t.notOk(json(['--report-json', 'x']));
  t.notOk(json([], { BOOTWITNESS_JSON: 'out.json' }));
});
