/** Copies an image of the reference guest to one that boots otherwise, with a disk GUID of its own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.ts';
import { writeBootFile } from './disk.ts';
import { renewDiskGuid } from './gpt.ts';
import { type GuestBootMode, type SyslinuxOptions, syslinuxConfig } from './syslinux.ts';

/** What lies beside an image and says what is in it. */
export interface GuestSidecar {
  readonly closure: string;
  readonly bootMode: GuestBootMode;
}

/** Path of the sidecar of `image`. */
export function sidecarOf(image: string): string {
  return `${image}.bootwitness.json`;
}

export async function writeSidecar(image: string, sidecar: GuestSidecar): Promise<void> {
  await writeFile(sidecarOf(image), `${JSON.stringify(sidecar, null, 2)}\n`);
}

/** Makes `out` from `base`: sparse, about 0.2 s. No sidecar is written. */
export async function modeImage(
  options: SyslinuxOptions & { base: string; out: string; scratch: string },
): Promise<void> {
  const { base, out } = options;
  await command('cp', ['--sparse=always', '--reflink=auto', base, out]);
  const config = join(options.scratch, 'syslinux.cfg');
  await writeFile(config, syslinuxConfig(options));
  await writeBootFile(out, config, 'syslinux.cfg');
  await renewDiskGuid(out);
}
