/** Writes a summary in the formats that the caller wants it in, each file whole or not at all. */
import { appendFileSync } from 'node:fs';
import type { OutputFiles, OutputName } from '../output-files.ts';
import { scrub } from '../secrets.ts';
import type { Summary } from '../summary.ts';
import { writeWhole } from '../workdir.ts';
import { junitText } from './junit.ts';
import { markdownText } from './markdown.ts';

/** What is made only when somebody wants it. */
export interface Texts {
  readonly summary: Summary;
  json(): string;
  readonly tap: string;
}

/** @throws Error of the operating system: a report that is not whole must not look like one */
export function writeFormats(files: OutputFiles, { summary, json, tap }: Texts): void {
  const texts: Readonly<Record<OutputName, () => string>> = {
    junit: () => junitText(summary),
    markdown: () => markdownText(summary),
    'report-json': json,
    tap: () => tap,
  };
  for (const [name, file] of Object.entries(files)) {
    if (file === null) continue;
    const text = texts[name as OutputName]();
    if (file.append) appendFileSync(file.path, scrub(text));
    else writeWhole(file.path, text);
  }
}
