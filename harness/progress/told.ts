/** What a run has to tell, as events. */
import { basename } from 'node:path';
import type { Request } from '../options/config.ts';
import { labLine } from '../options/which-lab.ts';
import type { Tell, Transfer } from './event.ts';
import type { Progress } from './progress.ts';

/** The first that is told of a run. */
export function beginRun({ tell, note }: Progress, request: Request, scenario: string, runId: string): void {
  const { lab, imagePath: image } = request;
  const name = lab.kind === 'file' ? basename(lab.path, '.toml') : lab.kind === 'embedded' ? 'embedded' : 'options';
  tell({ event: 'run-begins', runId, scenario, lab: name, image });
  note(labLine(request));
}

/** Told of each piece. */
export const transferTold =
  (tell: Tell, what: Transfer['what']) =>
  (doneBytes: number, totalBytes: number): void =>
    tell({ event: 'transfer', what, doneBytes, totalBytes });

/** Told of each look at a guest that does not answer yet; milliseconds. */
export const waitingTold =
  (tell: Tell) =>
  (seen: string, waitedMs: number, budgetMs: number): void =>
    tell({ event: 'waiting', seen, waitedS: waitedMs / 1000, budgetS: budgetMs / 1000 });
