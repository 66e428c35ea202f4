/** Reads what the builder of an image declares beside it, in `<image>.bootwitness.json`. */
import { readFile } from 'node:fs/promises';
import { Fault } from '../faults/faults.ts';
import { BOOT_MODES, type ImageSidecar } from '../model.ts';

const SUFFIX = '.bootwitness.json';

/**
 * @param imagePath path of the image
 * @returns null where there is no sidecar; fields that are not known are left to their readers
 * @throws Fault BAD_IMAGE when the sidecar is there and cannot be read or understood
 */
export async function readSidecar(imagePath: string): Promise<ImageSidecar | null> {
  const path = imagePath + SUFFIX;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Fault('BAD_IMAGE', `the sidecar ${path} cannot be read`, { cause: error });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Fault('BAD_IMAGE', `the sidecar ${path}: expected JSON, and it is not`, { cause: error });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new Fault('BAD_IMAGE', `the sidecar ${path}: expected an object, given ${text.trim().slice(0, 40)}`);
  }
  const { closure = null, bootMode = null } = parsed as { closure?: unknown; bootMode?: unknown };
  if (closure !== null && (typeof closure !== 'string' || !closure.startsWith('/'))) {
    throw new Fault(
      'BAD_IMAGE',
      `the sidecar ${path}: closure: expected an absolute path, given ${JSON.stringify(closure)}`,
    );
  }
  const mode = BOOT_MODES.find((known) => known === bootMode) ?? null;
  if (bootMode !== null && mode === null) {
    throw new Fault(
      'BAD_IMAGE',
      `the sidecar ${path}: bootMode: expected ${BOOT_MODES.join(' or ')}, given ${JSON.stringify(bootMode)}`,
    );
  }
  return { closure, bootMode: mode };
}
