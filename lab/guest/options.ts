/** The command line of the reference guest: options in, what to do out. Pure. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULTS, VARIANT_FAULTS, type VariantFault } from './faults.ts';
import { GUEST_BOOT_MODES, type GuestBootMode } from './recipe/syslinux.ts';

/** What is asked for. `cacheDir` null: the default. */
export type GuestOrder =
  | { readonly kind: 'help' }
  | { readonly kind: 'list' }
  | { readonly kind: 'build'; readonly cacheDir: string | null }
  | { readonly kind: 'variant'; readonly cacheDir: string | null; readonly variant: VariantOrder };

export interface VariantOrder {
  readonly fault: VariantFault | null;
  readonly bootMode: GuestBootMode;
  /** Absolute. */
  readonly out: string;
}

export const USAGE = `usage: node --import tsx lab/guest/main.ts [OPTION]...
  (none)                     build the reference guest where it is not built, print where it is as JSON
  --variant FAULT            make a broken variant instead; FAULT "none" breaks nothing
  --mode MODE                its boot mode: ${GUEST_BOOT_MODES.join(' or ')}
  --out FILE                 its path; a sidecar is written beside it
  --list                     list the faults
  --cache-dir DIR            default: bootwitness in $XDG_CACHE_HOME or ~/.cache
  --help`;

/** What the caller got wrong; shown as one sentence. */
export class Misuse extends Error {}

function oneOf<T extends string>(option: string, allowed: readonly T[], given: string | undefined): T {
  const found = allowed.find((value) => value === given);
  if (found !== undefined) return found;
  throw new Misuse(
    `${option} must be one of ${allowed.join(', ')}; ${given === undefined ? 'it is missing' : `"${given}" was given`}`,
  );
}

function parsed(args: readonly string[]) {
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

function variantOrder(given: { variant?: string; mode?: string; out?: string }): VariantOrder {
  const fault = oneOf('--variant', ['none', ...VARIANT_FAULTS], given.variant);
  const bootMode = oneOf('--mode', GUEST_BOOT_MODES, given.mode);
  if (given.out === undefined || given.out === '') throw new Misuse('--variant needs --out FILE');
  const row = fault === 'none' ? null : FAULTS[fault];
  if (row !== null && row.onlyIn !== null && row.onlyIn !== bootMode) {
    throw new Misuse(`--variant ${fault} exists in --mode ${row.onlyIn} only, and ${bootMode} was given`);
  }
  return { fault: fault === 'none' ? null : fault, bootMode, out: resolve(given.out) };
}

/** What `args` ask for. Throws Misuse with one sentence where they make no sense. */
export function guestOrder(args: readonly string[]): GuestOrder {
  const given = parsed(args);
  if (given.help) return { kind: 'help' };
  if (given.list) return { kind: 'list' };
  if (given['cache-dir'] === '') throw new Misuse('--cache-dir needs a folder');
  const cacheDir = given['cache-dir'] ?? null;
  if (given.variant !== undefined) return { kind: 'variant', cacheDir, variant: variantOrder(given) };
  if (given.mode !== undefined || given.out !== undefined) throw new Misuse('--mode and --out need --variant');
  return { kind: 'build', cacheDir };
}
