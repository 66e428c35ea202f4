/** Command line of the reference guest: builds it, makes variants of it, lists their faults. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { FAULTS, VARIANT_FAULTS } from './faults.ts';
import { guestOrder, Misuse, USAGE } from './options.ts';
import { referenceGuest } from './reference.ts';
import { makeVariant } from './variant.ts';

function listing(): string {
  return VARIANT_FAULTS.map((fault) => {
    const row = FAULTS[fault];
    const only = row.onlyIn === null ? '' : ` (${row.onlyIn} only)`;
    return `${fault}${only}\n  changed: ${row.changed}\n  seen:    ${row.seen}\n`;
  }).join('');
}

async function main(args: readonly string[]): Promise<string> {
  const order = guestOrder(args);
  if (order.kind === 'help') return `${USAGE}\n`;
  if (order.kind === 'list') return listing();
  const cacheDir = order.cacheDir ?? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bootwitness');
  const guest = await referenceGuest({ cacheDir, log: (line) => process.stderr.write(`${line}\n`) });
  const result =
    order.kind === 'build'
      ? guest
      : await makeVariant({ ...order.variant, base: guest.images[order.variant.bootMode] });
  return `${JSON.stringify(result, null, 2)}\n`;
}

try {
  process.stdout.write(await main(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = error instanceof Misuse ? 2 : 1;
}
