/** Makes a cheap variant of a reference image: another boot mode, or one thing broken. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from './recipe/command.ts';
import { writeBootFile } from './recipe/disk.ts';
import { renewDiskGuid } from './recipe/gpt.ts';
import { type GuestBootMode, syslinuxConfig } from './recipe/syslinux.ts';

/** Where the sidecar of an image lies. */
export function sidecarOf(image: string): string {
  return `${image}.bootwitness.json`;
}

async function closureOf(base: string): Promise<string> {
  const path = sidecarOf(base);
  const sidecar: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (typeof sidecar === 'object' && sidecar !== null && 'closure' in sidecar && typeof sidecar.closure === 'string') {
    return sidecar.closure;
  }
  throw new Error(`${path} was expected to name the closure of a reference guest, and it does not`);
}

export async function makeVariant(options: {
  base: string;
  out: string;
  bootMode: GuestBootMode;
  fault: null;
}): Promise<{ path: string; sidecarPath: string }> {
  const { base, out, bootMode } = options;
  const closure = await closureOf(base);
  const scratch = await mkdtemp(join(tmpdir(), 'bootwitness-variant-'));
  try {
    await command('cp', ['--sparse=always', '--reflink=auto', base, out]);
    const config = join(scratch, 'syslinux.cfg');
    await writeFile(config, syslinuxConfig({ bootMode, root: 'named' }));
    await writeBootFile(out, config, 'syslinux.cfg');
    await renewDiskGuid(out);
    await writeFile(sidecarOf(out), `${JSON.stringify({ closure, bootMode }, null, 2)}\n`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return { path: out, sidecarPath: sidecarOf(out) };
}
