/** Which files of a workdir tell a person more of how a run ended. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @returns paths: the evidence, and the pictures and texts of the console; where the console showed nothing, as where
 *   no guest was started, the log. Only what is there, and not empty.
 */
export function worthLooking(workdir: string): readonly string[] {
  const evidence = join(workdir, 'evidence.ndjson');
  const console = join(workdir, 'console/');
  const others = hasContent(console) ? console : join(workdir, 'log.ndjson');
  return [evidence, others].filter(hasContent);
}

function hasContent(path: string): boolean {
  try {
    return path.endsWith('/') ? readdirSync(path).length > 0 : statSync(path).size > 0;
  } catch {
    return false; // it was never made, or is gone
  }
}
