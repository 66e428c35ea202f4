/** The lint of a run never stops it: what fails in it is a finding of its own. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { stateOf } from '../../../harness/image/image-file.ts';
import { Scratch } from '../../../harness/image/scratch.ts';
import type { PlannedImage } from '../../../harness/model.ts';
import { lintForRun } from '../../../harness/prepare/lint-run.ts';
import type { Happening } from '../../../harness/progress/event.ts';
import { Evidence } from '../../../harness/workdir/evidence.ts';
import { openLog } from '../../../harness/workdir/log.ts';

const dir = mkdtempSync(join(tmpdir(), 'bw-lint-run-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const evidence = new Evidence(dir);
const log = openLog(dir, {});
const told: string[] = [];
const tell = (happening: Happening): void => void told.push(happening.event === 'warning' ? happening.text : '');
const signal = new AbortController().signal;
const world = { evidence, log, tell, scratch: new Scratch({ dir }), signal };
const planned = (path: string, fileState = ''): PlannedImage => ({
  ...{
    path,
    format: 'raw',
    sizeBytes: 1,
    sha256: '',
    fileState,
    blocks: [],
    identity: null,
    startsBy: [],
    sidecar: null,
  },
});

t.test('an image that is gone when it is linted', async (t) => {
  const findings = await lintForRun(planned(join(dir, 'nowhere')), { firmware: 'bios', wantsBytes: true }, world);
  t.match(findings, [{ name: 'lint', status: 'unknown', seen: /it failed: .*there is no such file/ }]);
  t.same(told, [], 'what is unknown is recorded, and bothers nobody');
  t.match(readFileSync(join(dir, 'evidence.ndjson'), 'utf8'), /"kind":"image","name":"lint"/);
});

t.test('for an operator’s VM it is said by which firmware it could boot', async (t) => {
  writeFileSync(join(dir, 'empty.raw'), Buffer.alloc(1024 * 1024));
  const state = stateOf(statSync(join(dir, 'empty.raw'), { bigint: true }));
  const findings = await lintForRun(
    planned(join(dir, 'empty.raw'), state),
    { firmware: null, wantsBytes: true },
    world,
  );
  t.match(
    findings.find(({ name }) => name === 'boot-loader'),
    { status: 'broken', looked: 'boot by BIOS and by UEFI' },
  );
  t.match(told.join(''), /image: broken: partition-table: no partition table/);
});
