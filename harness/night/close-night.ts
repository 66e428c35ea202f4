/**
 * The end of a night: its summary goes to its folder, to the files that somebody waits for, to stdout and to the
 * person. What cannot be written is said wherever it still can be, and hides nothing of the rest.
 */
import type { Writable } from 'node:stream';
import { Fault, faultRecord } from '../faults/faults.ts';
import type { OutputFiles } from '../options/output-files.ts';
import type { Progress } from '../progress/progress.ts';
import type { Remark, Summary } from '../report/summary.ts';
import { writeFormats } from '../reporters/formats.ts';
import { nightJson } from '../reporters/night-json.ts';
import { printWhole } from '../reporters/stream.ts';
import { bailOut, tapNight } from '../reporters/tap.ts';

export interface ClosingNight {
  /** Writes the summary into the folder of the night. @throws Fault of this machine */
  readonly mark: (summary: Summary) => void;
  readonly outputs: OutputFiles;
  /** Takes the TAP; null: nobody waits for it. */
  readonly out: Writable | null;
  readonly told: Pick<Progress, 'tell'>;
}

/** @throws what is not this machine's fault */
function why(error: unknown): string {
  if (!(error instanceof Fault) || error.party !== 'machine') throw error;
  return error.message;
}

/** What is added to, and cannot be taken back, and what can be written a second time. */
function parted(outputs: OutputFiles): { readonly added: OutputFiles; readonly anew: OutputFiles } {
  const those = (append: boolean): OutputFiles => {
    const pairs = Object.entries(outputs).map(([name, file]) => [name, file?.append === append ? file : null]);
    return Object.fromEntries(pairs) as OutputFiles;
  };
  return { added: those(true), anew: those(false) };
}

/**
 * @param summaryWith the night, with a remark for each output that was lost
 * @returns it, as it was told last
 * @throws our own bugs
 */
export async function closeNight(
  summaryWith: (lost: readonly Remark[]) => Summary,
  { mark, outputs, out, told }: ClosingNight,
): Promise<Summary> {
  const lost = new Set<string>();
  const summaryNow = (): Summary => summaryWith([...lost].map((text) => ({ level: 'lost', text }) as const));
  const tapOf = (summary: Summary): Promise<string> =>
    tapNight(summary).catch((error: unknown) => {
      lost.add(`the night has no TAP: ${why(error)}`);
      return bailOut(faultRecord(error));
    });
  const write = async (files: OutputFiles): Promise<void> => {
    const summary = summaryNow();
    const texts = { summary, json: () => nightJson(summary), tap: await tapOf(summary) };
    for (const each of writeFormats(files, texts)) lost.add(each);
  };
  const keep = (): void => {
    try {
      mark(summaryNow());
    } catch (error) {
      lost.add(why(error));
    }
  };
  const { added, anew } = parted(outputs);
  keep();
  await write(anew);
  await write(added);
  const text = await tapOf(summaryNow());
  try {
    if (out !== null) await printWhole(out, text);
  } catch (error) {
    lost.add(why(error));
  }
  if (lost.size > 0) {
    // What is there must not say less than the exit code does.
    keep();
    await write(anew);
  }
  const summary = summaryNow();
  for (const { level, text: said } of summary.remarks) told.tell({ event: 'remark', level, text: said });
  return summary;
}
