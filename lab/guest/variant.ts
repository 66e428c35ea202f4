/** Makes a cheap variant of a reference image: another boot mode, or one thing broken. About 0.3 s. */
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyChanges } from './changes.ts';
import { FAULTS, type VariantFault } from './faults.ts';
import { removeEfiLoader } from './recipe/disk.ts';
import { modeImage, sidecarOf, writeSidecar } from './recipe/mode-image.ts';
import type { GuestBootMode } from './recipe/syslinux.ts';

export type { VariantFault } from './faults.ts';

const VARIANT_FILES = join(dirname(fileURLToPath(import.meta.url)), 'files/variants');

export interface VariantOptions {
  /** An image of `referenceGuest()`, of either boot mode, with its sidecar. */
  readonly base: string;
  /** Path of the new image; one that is there is replaced. */
  readonly out: string;
  /** What the sidecar will say, and, but for `shepherd-not-pid1`, how it boots. */
  readonly bootMode: GuestBootMode;
  /** Null: nothing is broken. */
  readonly fault: VariantFault | null;
}

async function closureOf(base: string): Promise<string> {
  const path = sidecarOf(base);
  const sidecar: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (typeof sidecar === 'object' && sidecar !== null && 'closure' in sidecar && typeof sidecar.closure === 'string') {
    return sidecar.closure;
  }
  throw new Error(`${path} was expected to name the closure of a reference guest, and it does not`);
}

/**
 * Writes the variant to `out` and its sidecar beside it. The sidecar names the closure of the
 * reference guest whatever is broken. The image has a disk GUID of its own and appears whole.
 */
export async function makeVariant(options: VariantOptions): Promise<{ path: string; sidecarPath: string }> {
  const { base, out, bootMode } = options;
  const row = options.fault === null ? null : FAULTS[options.fault];
  if (row !== null && row.onlyIn !== null && row.onlyIn !== bootMode) {
    throw new Error(`the fault ${options.fault} exists in boot mode ${row.onlyIn} only, and ${bootMode} was given`);
  }
  const closure = await closureOf(base);
  const scratch = await mkdtemp(join(tmpdir(), 'bootwitness-variant-'));
  const partial = `${out}.partial`;
  try {
    const root = row?.hasRoot === false ? 'missing' : 'named';
    await modeImage({ base, out: partial, bootMode: row?.bootsAs ?? bootMode, root, scratch });
    const changes = row?.changes(bootMode) ?? [];
    if (row?.hasEfiLoader === false) await removeEfiLoader(partial);
    await applyChanges({ image: partial, changes, closure, files: VARIANT_FILES, scratch });
    await writeSidecar(out, { closure, bootMode });
    await rename(partial, out);
  } finally {
    await rm(partial, { force: true });
    await rm(scratch, { recursive: true, force: true });
  }
  return { path: out, sidecarPath: sidecarOf(out) };
}
