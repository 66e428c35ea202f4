/** Command line of the reference guest: builds it, makes variants of it, lists their faults. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULTS, VARIANT_FAULTS, type VariantFault } from './faults.ts';
import { GUEST_BOOT_MODES, type GuestBootMode } from './recipe/syslinux.ts';
import { referenceGuest } from './reference.ts';
import { makeVariant } from './variant.ts';

const USAGE = `usage: node --import tsx lab/guest/main.ts [OPTION]...
  (none)                     build the reference guest where it is not built, print where it is as JSON
  --variant FAULT            make a broken variant instead; FAULT "none" breaks nothing
  --mode MODE                its boot mode: ${GUEST_BOOT_MODES.join(' or ')}
  --out FILE                 its path; a sidecar is written beside it
  --list                     list the faults
  --cache-dir DIR            default: bootwitness in $XDG_CACHE_HOME or ~/.cache
  --help`;

/** What the caller got wrong; shown as one sentence. */
class Misuse extends Error {}

function oneOf<T extends string>(option: string, allowed: readonly T[], given: string | undefined): T {
  const found = allowed.find((value) => value === given);
  if (found !== undefined) return found;
  throw new Misuse(
    `${option} must be one of ${allowed.join(', ')}; ${given === undefined ? 'it is missing' : `"${given}" was given`}`,
  );
}

function options(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        variant: { type: 'string' },
        mode: { type: 'string' },
        out: { type: 'string' },
        list: { type: 'boolean', default: false },
        'cache-dir': { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    // parseArgs adds advice in further sentences.
    const sentence = error instanceof Error ? error.message.split(/\.\s/)[0] : String(error);
    throw new Misuse(sentence ?? 'bad options');
  }
}

function listing(): string {
  return VARIANT_FAULTS.map((fault) => {
    const row = FAULTS[fault];
    const only = row.onlyIn === null ? '' : ` (${row.onlyIn} only)`;
    return `${fault}${only}\n  changed: ${row.changed}\n  seen:    ${row.seen}\n`;
  }).join('');
}

interface VariantOrder {
  readonly fault: VariantFault | null;
  readonly bootMode: GuestBootMode;
  readonly out: string;
}

function variantOrder(given: { variant?: string; mode?: string; out?: string }): VariantOrder | null {
  if (given.variant === undefined) {
    if (given.mode !== undefined || given.out !== undefined) throw new Misuse('--mode and --out need --variant');
    return null;
  }
  const fault = oneOf('--variant', ['none', ...VARIANT_FAULTS], given.variant);
  const bootMode = oneOf('--mode', GUEST_BOOT_MODES, given.mode);
  if (given.out === undefined || given.out === '') throw new Misuse('--variant needs --out FILE');
  const row = fault === 'none' ? null : FAULTS[fault];
  if (row !== null && row.onlyIn !== null && row.onlyIn !== bootMode) {
    throw new Misuse(`--variant ${fault} exists in --mode ${row.onlyIn} only, and ${bootMode} was given`);
  }
  return { fault: fault === 'none' ? null : fault, bootMode, out: resolve(given.out) };
}

async function main(args: readonly string[]): Promise<string> {
  const given = options(args);
  if (given.help) return `${USAGE}\n`;
  if (given.list) return listing();
  const order = variantOrder(given);
  const cacheDir = given['cache-dir'] ?? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bootwitness');
  const guest = await referenceGuest({ cacheDir, log: (line) => process.stderr.write(`${line}\n`) });
  const result = order === null ? guest : await makeVariant({ ...order, base: guest.images[order.bootMode] });
  return `${JSON.stringify(result, null, 2)}\n`;
}

try {
  process.stdout.write(await main(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = error instanceof Misuse ? 2 : 1;
}
