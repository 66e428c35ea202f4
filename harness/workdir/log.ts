/** The case's log, one JSON object a line, in its workdir. The only importer of pino. */
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { scrub } from './secrets.ts';

export type Log = Logger;

/** `sync: true` and no transport: asynchronous destinations lose their tail at exit (tried). */
export function openLog(workdir: string, bindings: Readonly<Record<string, string>>): Log {
  const file = pino.destination({ dest: join(workdir, 'log.ndjson'), sync: true, append: true });
  // On a full disk the log ends; it must not take the clean-up with it. The evidence does speak up.
  file.on('error', () => undefined);
  const scrubbing = { write: (line: string) => file.write(scrub(line)) };
  return pino({ level: 'debug', base: bindings, timestamp: pino.stdTimeFunctions.isoTime }, scrubbing);
}
