/** The lint of a run never stops it: what fails in it is a finding of its own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Evidence } from '../../harness/evidence.ts';
import { lintForRun } from '../../harness/lint-run.ts';
import { openLog } from '../../harness/log.ts';
import type { PlannedImage } from '../../harness/model.ts';
import { people } from '../../harness/reporters/people.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-lint-run-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const evidence = new Evidence(dir);
const log = openLog(dir, {});
const told: string[] = [];
const tell = people({ write: (text: string) => void told.push(text) });
const planned = (path: string): PlannedImage => ({
  ...{ path, sizeBytes: 1, sha256: '', fileState: '', blocks: [], identity: null, startsBy: [], sidecar: null },
});

t.test('an image that is gone when it is linted', async (t) => {
  const findings = await lintForRun(planned(join(dir, 'nowhere')), 'bios', { evidence, log, tell });
  t.match(findings, [{ name: 'lint', status: 'unknown', seen: /it failed: .*there is no such file/ }]);
  t.same(told, [], 'what is unknown is recorded, and bothers nobody');
  t.match(readFileSync(join(dir, 'evidence.ndjson'), 'utf8'), /"kind":"image","name":"lint"/);
});

t.test('for an operator’s VM it is said by which firmware it could boot', async (t) => {
  writeFileSync(join(dir, 'empty.raw'), Buffer.alloc(1024 * 1024));
  const findings = await lintForRun(planned(join(dir, 'empty.raw')), null, { evidence, log, tell });
  t.match(
    findings.find(({ name }) => name === 'boot-loader'),
    { status: 'broken', looked: 'boot by BIOS and by UEFI' },
  );
  t.match(told.join(''), /image: broken: partition-table: no partition table/);
});
