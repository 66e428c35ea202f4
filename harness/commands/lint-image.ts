/** `npm run lint-image -- FILE`: what can be told of an image without sending it. */
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { LINT_OPTIONS } from '../command-options.ts';
import { Fault } from '../faults.ts';
import type { LintFinding } from '../finding.ts';
import type { Given } from '../given.ts';
import { type Lint, type LintWish, lintDisk } from '../image/lint/lint.ts';
import { openUnplanned } from '../image/open-disk.ts';
import { Scratch } from '../image/scratch.ts';
import { optionsHelp } from '../options.ts';
import { type Call, type Command, EXIT } from './command.ts';

const SCHEMA = 1;

const HELP = `lint-image: says what is wrong with a disk image before it is sent: table, boot loader, file systems.

Usage: npm run -s lint-image -- FILE [options]

Reads some hundred KiB, mounts nothing, needs no root and no lab. Each run does the same to its image, as warnings.

Options (flags > environment > defaults)
${optionsHelp(LINT_OPTIONS)}

Exit codes: 0 nothing is broken (there may be warnings); 1 something is broken; 2 misuse; 130 interrupted.
`;

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
  ...{ options: LINT_OPTIONS, operand: 'FILE', help: HELP },
  onInterrupt: 'nothing was changed',
  run,
};
