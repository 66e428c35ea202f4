/** The end of a night whose outputs cannot all be written: what was lost is said, and hides no case. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import t from 'tap';
import { Fault } from '../../../harness/faults/faults.ts';
import { closeNight } from '../../../harness/night/close-night.ts';
import { nightExitCode } from '../../../harness/night/night.ts';
import { NO_OUTPUTS, type OutputFiles } from '../../../harness/options/output-files.ts';
import type { Happening } from '../../../harness/progress/event.ts';
import { type CaseSummary, nightCodeOf, type Remark } from '../../../harness/report/summary.ts';
import { FAILED, PASSED, summary } from '../reporters/summaries.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-close-night-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

const full = (): Error => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
const unwritable = (): never => {
  throw new Fault('OUTPUT_UNWRITABLE', 'night.json cannot be written (ENOSPC)', { cause: full() });
};

interface Wish {
  readonly outputs?: Partial<OutputFiles>;
  readonly mark?: () => void;
  /** What stdout makes of a text. */
  readonly write?: Writable['_write'];
}

async function close(cases: readonly CaseSummary[], { outputs, mark = () => undefined, write }: Wish = {}) {
  let printed = '';
  const told: Happening[] = [];
  const out = new Writable({
    write:
      write ??
      ((chunk, _, done) => {
        printed += String(chunk);
        done();
      }),
  });
  out.on('error', () => undefined);
  const withCode = (lost: readonly Remark[]) => {
    const codes = [...cases.map(nightCodeOf), ...(lost.length > 0 ? [3] : [])];
    return { ...summary(cases, lost), exitCode: nightExitCode(codes, false) };
  };
  const ended = await closeNight(withCode, {
    ...{ mark, out, outputs: { ...NO_OUTPUTS, ...outputs }, told: { tell: (event) => void told.push(event) } },
  });
  return { ended, printed, said: told.map((event) => (event.event === 'remark' ? event.text : event.event)) };
}

const fileAt = (name: string) => ({ path: join(dir, name), append: false });
const read = (name: string): string => readFileSync(join(dir, name), 'utf8');

t.test('a night whose folder is full is told all the same', async (t) => {
  const { ended, printed, said } = await close([PASSED, FAILED], {
    mark: unwritable,
    outputs: { junit: fileAt('full.xml') },
  });
  t.equal(ended.exitCode, 1, 'the image that failed counts for more');
  t.match(printed, /^not ok 2 - phase9\/bad\/pool1$/m);
  t.match(printed, /^not ok 3 - night\.json cannot be written \(ENOSPC\)$/m);
  t.match(read('full.xml'), /errors="1"/);
  t.same(said, ['night.json cannot be written (ENOSPC)']);
  t.equal((await close([PASSED], { mark: unwritable })).ended.exitCode, 3);
});

t.test('a file that cannot be written costs the others nothing, and they say so', async (t) => {
  mkdirSync(join(dir, 'taken'));
  const { ended, printed, said } = await close([PASSED], {
    outputs: {
      ...{ junit: fileAt('taken'), 'report-json': fileAt('all.json') },
      markdown: { path: join(dir, 'page.md'), append: true },
    },
  });
  t.equal(ended.exitCode, 3);
  t.match(printed, /^ok 1 /m);
  t.match(said, [/taken cannot be written: EISDIR/]);
  t.match(JSON.parse(read('all.json')), { exitCode: 3, remarks: [{ level: 'lost' }] }, 'also one written before');
  t.equal(read('page.md').match(/^## /gm)?.length, 1, 'what is added to is added to once');
  t.match(read('page.md'), /taken cannot be written/);
});

t.test('stdout on a full disk hides no file, and not the end', async (t) => {
  const { ended, said } = await close([PASSED], {
    ...{ outputs: { 'report-json': fileAt('silent.json') }, write: (_chunk, _, done) => done(full()) },
  });
  t.equal(ended.exitCode, 3);
  t.match(said, [/stdout cannot be written: ENOSPC/]);
  t.equal(JSON.parse(read('silent.json')).exitCode, 3);
});

t.test('a bug is no lost output', async (t) => {
  const bug = new TypeError('read of undefined');
  const thrown = close([PASSED], {
    mark: () => {
      throw bug;
    },
  });
  await t.rejects(thrown, bug);
});
