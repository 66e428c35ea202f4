/** What the history says of a night's run that its own report does not: what is known, and how it is run again. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readRuns } from '../../../harness/history/read-runs.ts';
import { judge } from '../../../harness/judge.ts';
import type { NightCase } from '../../../harness/night/cases.ts';
import { keepInHistory } from '../../../harness/night/keep-history.ts';
import { aReport } from '../history/a-report.ts';
import { caseOf, check, LOST, note } from '../reporters/summaries.ts';
import { PHASES } from './phases.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-keep-history-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

const theCase: NightCase = {
  ...{ name: 'phase9.i.pool', phase: PHASES[0], args: [], repeat: 'again' },
  image: { name: 'i', file: null, scenarios: [], expectClosure: null, sshKey: null, control: null },
  lab: { name: 'pool', lab: 'pool', images: [], parallel: null, args: [] },
};

/** The record of a run in which these checks failed, the marker of which is known to fail. */
function recordOf(runId: string, ...failed: readonly string[]) {
  const verdict = judge({ checks: failed.map((name) => check(name, 'failed')), fault: null });
  const summary = caseOf('i', { verdict, exitCode: 1, known: [note], repeat: 'npm run -s phase9 -- --lab pool' });
  const stored = { ...aReport(verdict, { runId, repeat: 'it, --workdir-root of the night' }), image: null };
  keepInHistory(stored, { reportsDir: dir, night: 'n', theCase, summary, dir });
  return JSON.parse(readFileSync(join(dir, 'runs', `${runId}.json`), 'utf8'));
}

t.test('only a run of which all is known is marked as known', async (t) => {
  t.match(recordOf('r-1', 'ready').history.known, { reason: note.reason, expires: note.expires });
  t.equal(recordOf('r-2', 'ready', 'sshd').history.known, null, 'the mark would hide the other failure');
});

t.test('it is run again without the folders of the night', async (t) => {
  t.equal(recordOf('r-3', 'ready').repeat, 'npm run -s phase9 -- --lab pool');
});

t.test('a lab that refused a case before its image was looked at does not make another case of it', async (t) => {
  const reportsDir = mkdtempSync(join(dir, 'refused-'));
  const dated = { ...theCase, image: { ...theCase.image, file: '/images/fruix-20261126.raw' } };
  const summary = { ...LOST, lab: 'pool' };
  keepInHistory(null, { reportsDir, night: 'n-1', theCase: dated, summary, dir: '/nights/n-1' });
  t.match(readRuns(reportsDir).rows, [
    { scenario: 'phase9-xcpng-boot', image: 'fruix-*.raw', lab: 'pool', status: 'ERROR', night: 'n-1' },
  ]);
});
