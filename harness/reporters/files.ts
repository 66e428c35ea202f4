/**
 * Writes `metadata.txt`, `result.json` and `repro.json` into the workdir: each whole or absent. The
 * only writer of metadata; metadata comes last, so that whoever sees it sees the rest too.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { escapeValue, metadata, type Report, resultJson, VALUE_CHARACTERS_MAX } from '../report/report.ts';
import { inWorkdir, keepWhole } from '../workdir/workdir.ts';

const FILES = ['metadata.txt', 'result.json', 'repro.json'] as const;

/**
 * A report that is not whole must not look like one: where a file cannot be written none of them stays.
 * @throws Fault OUTPUT_UNWRITABLE, MACHINE_EXHAUSTED
 */
export function writeFiles(report: Report): void {
  try {
    write(report);
  } catch (error) {
    for (const name of FILES) rmSync(join(report.workdir, name), { force: true });
    throw error;
  }
}

function write(report: Report): void {
  const { workdir } = report;
  const lines = metadata(report).map(([key, value]) => {
    const escaped = escapeValue(value);
    if (escaped.length <= VALUE_CHARACTERS_MAX) return `${key}=${escaped}`;
    inWorkdir(join(workdir, 'evidence'), () => mkdirSync(join(workdir, 'evidence'), { recursive: true }));
    keepWhole(join(workdir, 'evidence', `${key}.txt`), value);
    return `${key}=see evidence/${key}.txt`;
  });
  const repro = {
    schema: 1,
    scenario: report.scenario,
    lab: report.lab.name,
    imagePath: report.image?.path ?? null,
    imageSha256: report.image?.sha256 ?? null,
    expectedClosure: report.expectedClosure,
    budgetScale: report.budgetScale,
    harnessVersion: report.harnessVersion,
    command: report.repeat,
  };
  keepWhole(join(workdir, 'repro.json'), `${JSON.stringify(repro, null, 2)}\n`);
  keepWhole(join(workdir, 'result.json'), resultJson(report));
  keepWhole(join(workdir, 'metadata.txt'), `${lines.join('\n')}\n`);
}
