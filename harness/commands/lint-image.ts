/** `npm run lint-image -- FILE`: what can be told of an image without sending it. */

import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { EXIT } from '../../help/exits.ts';
import { Fault } from '../faults/faults.ts';
import type { LintFinding } from '../finding.ts';
import { type Lint, type LintWish, lintDisk } from '../image/lint/lint.ts';
import { openUnplanned } from '../image/open-disk.ts';
import { Scratch } from '../image/scratch.ts';
import type { CommandWords } from '../options/command-help.ts';
import { LINT_OPTIONS } from '../options/command-options.ts';
import type { Given } from '../options/given.ts';
import type { Call, Command } from './command.ts';

const SCHEMA = 1;

const WORDS: CommandWords = {
  ...{ name: 'lint-image', group: 'image', page: 'README.md#your-image' },
  summary: 'says whether a disk image can boot at all, in a moment and without a lab',
  usage: ['FILE [options]'],
  about: [
    'Looks at partition table, boot loader (down to \\EFI\\BOOT\\BOOTX64.EFI, or to what the code in the first ' +
      'sector looks for), state of UFS and ext file systems, and size. It reads some hundred KiB, mounts nothing ' +
      'and needs no root. Each run does the same first, as warnings that change no verdict. Not read: files in the ' +
      'root file system (/etc/fstab), ZFS, BSD labels within a slice.',
  ],
  examples: [
    { args: ['fruix.raw'], does: 'by which firmware could it boot?' },
    { args: ['fruix.raw', '--firmware', 'uefi'], does: 'what is wrong with it for that firmware' },
  ],
  precedence: 'flags > environment > defaults',
  stdout: 'a line for each finding, with why and what to do; with --json one JSON object.',
  exits: { fine: 'nothing is broken (there may be warnings)', failed: 'something is broken' },
};

function wishOf(given: Given): LintWish {
  const [firmware, vdi] = [given.value('firmware'), given.value('vdi-size')];
  if (firmware !== null && firmware.text !== 'bios' && firmware.text !== 'uefi') {
    throw new Fault('BAD_OPTION', `${firmware.from}: expected bios or uefi, given "${firmware.text}"`);
  }
  const vdiBytes = vdi === null ? null : Number(vdi.text);
  if (vdi !== null && !(/^\d+$/.test(vdi.text) && Number.isSafeInteger(vdiBytes))) {
    throw new Fault('BAD_OPTION', `${vdi.from}: expected a number of bytes, given "${vdi.text}"`);
  }
  return { firmware: firmware?.text === 'uefi' ? 'uefi' : firmware === null ? null : 'bios', vdiBytes };
}

async function run({ given, print }: Call): Promise<number> {
  const path = resolve(given.operand().text);
  const wish = wishOf(given);
  const startedMs = performance.now();
  const scratch = new Scratch({ dir: tmpdir() });
  const disk = await openUnplanned(path, scratch);
  let lint: Lint;
  try {
    lint = await lintDisk(disk, wish);
  } finally {
    await disk.close();
    await scratch.close();
  }
  const ms = performance.now() - startedMs;
  const { findings, readBytes } = lint;
  if (given.value('json')?.text === 'true') {
    const about = { schema: SCHEMA, image: path, sizeBytes: disk.sizeBytes, ...wish };
    print(JSON.stringify({ ...about, findings, readBytes, ms: Math.round(ms) }, null, 2));
  } else {
    for (const finding of findings) shown(finding).forEach(print);
    print(`${counted(findings)}; ${Math.ceil(readBytes / 1024)} KiB read in ${ms.toFixed(0)} ms`);
  }
  return findings.some(({ status }) => status === 'broken') ? EXIT.failed : EXIT.fine;
}

/** One line, and where something is wrong two more. */
function shown({ name, status, seen, why, remedy }: LintFinding): readonly string[] {
  const mark = (status === 'ok' ? 'ok' : status.toUpperCase()).padEnd(7);
  const line = `${mark}  ${name}: ${seen}`;
  return status === 'ok' ? [line] : [line, `         why: ${why}`, `         do:  ${remedy}`];
}

function counted(findings: readonly LintFinding[]): string {
  const count = (status: LintFinding['status']): number => findings.filter((each) => each.status === status).length;
  return `${count('broken')} broken, ${count('warning')} warnings, ${count('unknown')} unknown, ${count('ok')} ok`;
}

export const lintImage: Command = {
  ...{ options: LINT_OPTIONS, operand: 'FILE', help: WORDS },
  onInterrupt: 'nothing was changed',
  run,
};
