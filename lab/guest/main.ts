/** Command line of the reference guest: builds it, and prints where it is as JSON. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { referenceGuest } from './reference.ts';

const cacheHome = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const guest = await referenceGuest({
  cacheDir: join(cacheHome, 'bootwitness'),
  log: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(guest, null, 2)}\n`);
