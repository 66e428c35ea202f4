/**
 * Writes `metadata.txt`, `result.json` and `repro.json` into the workdir: each whole or absent. The
 * only writer of metadata; metadata comes last, so that whoever sees it sees the rest too.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { escapeValue, metadata, type Report, resultJson, VALUE_CHARACTERS_MAX } from '../report.ts';
import { writeWhole } from '../workdir.ts';

/** A full disk throws: a report that is not whole must not look like one. */
export function writeFiles(report: Report): void {
  const { workdir } = report;
  const lines = metadata(report).map(([key, value]) => {
    const escaped = escapeValue(value);
    if (escaped.length <= VALUE_CHARACTERS_MAX) return `${key}=${escaped}`;
    mkdirSync(join(workdir, 'evidence'), { recursive: true });
    writeWhole(join(workdir, 'evidence', `${key}.txt`), value);
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
  writeWhole(join(workdir, 'repro.json'), `${JSON.stringify(repro, null, 2)}\n`);
  writeWhole(join(workdir, 'result.json'), resultJson(report));
  writeWhole(join(workdir, 'metadata.txt'), `${lines.join('\n')}\n`);
}
