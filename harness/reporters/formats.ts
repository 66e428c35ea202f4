/** Writes a summary in the formats that the caller wants it in, each file whole or not at all. */
import { appendFileSync } from 'node:fs';
import type { OutputFile, OutputFiles, OutputName } from '../options/output-files.ts';
import type { Summary } from '../report/summary.ts';
import { scrub } from '../workdir/secrets.ts';
import { writeWhole } from '../workdir/workdir.ts';
import { junitText } from './junit.ts';
import { markdownText } from './markdown.ts';

/** What is made only when somebody wants it. */
export interface Texts {
  readonly summary: Summary;
  json(): string;
  readonly tap: string;
}

/** One that cannot be written costs the others nothing. @returns why, a line for each that was not; empty: all were */
export function writeFormats(files: OutputFiles, { summary, json, tap }: Texts): readonly string[] {
  const texts: Readonly<Record<OutputName, () => string>> = {
    junit: () => junitText(summary),
    markdown: () => markdownText(summary),
    'report-json': json,
    tap: () => tap,
  };
  return Object.entries(files).flatMap(([name, file]) =>
    file === null ? [] : written(file, texts[name as OutputName]()),
  );
}

function written({ path, append }: OutputFile, text: string): readonly string[] {
  try {
    if (append) appendFileSync(path, scrub(text));
    else writeWhole(path, text);
    return [];
  } catch (error) {
    return [`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`];
  }
}
