/**
 * Finds UEFI firmware on this machine and gives a VM its own copy of the variables.
 * BIOS needs nothing: QEMU brings it.
 */
import { constants, existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UefiFirmware } from './qemu-args.ts';

/** A code image and the empty variable store that belongs to it. */
export interface FirmwareFiles {
  readonly codeFile: string;
  readonly variablesTemplate: string;
}

/** Where distributions put OVMF without Secure Boot; the first pair that is there is taken. */
export const OVMF_PLACES: readonly FirmwareFiles[] = [
  { codeFile: '/usr/share/OVMF/OVMF_CODE_4M.fd', variablesTemplate: '/usr/share/OVMF/OVMF_VARS_4M.fd' },
  { codeFile: '/usr/share/OVMF/OVMF_CODE.fd', variablesTemplate: '/usr/share/OVMF/OVMF_VARS.fd' },
  { codeFile: '/usr/share/edk2/x64/OVMF_CODE.4m.fd', variablesTemplate: '/usr/share/edk2/x64/OVMF_VARS.4m.fd' },
  { codeFile: '/usr/share/edk2/ovmf/OVMF_CODE.fd', variablesTemplate: '/usr/share/edk2/ovmf/OVMF_VARS.fd' },
];

/** What there is to say where no UEFI firmware is installed; null: there is some. */
export function ovmfWarning(places: readonly FirmwareFiles[] = OVMF_PLACES): string | null {
  return firstThere(places) === undefined ? `No guest can be started with UEFI: ${missingOvmf(places)}` : null;
}

const firstThere = (places: readonly FirmwareFiles[]): FirmwareFiles | undefined =>
  places.find((place) => existsSync(place.codeFile) && existsSync(place.variablesTemplate));

function missingOvmf(places: readonly FirmwareFiles[]): string {
  const looked = places.map((place) => place.codeFile).join(', ');
  return `firmware uefi needs OVMF, which is not there: run ./setup.sh (Debian: package ovmf); looked for ${looked}`;
}

/**
 * @param dir folder of this start of the VM: XO keeps UEFI variables from start to start, the lab does not.
 * @throws where no OVMF is installed, naming the places that were looked at.
 */
export async function uefiFirmware(dir: string, places: readonly FirmwareFiles[] = OVMF_PLACES): Promise<UefiFirmware> {
  const found = firstThere(places);
  if (found === undefined) {
    throw new Error(missingOvmf(places));
  }
  const variablesFile = join(dir, 'uefi-variables.fd');
  await copyFile(found.variablesTemplate, variablesFile, constants.COPYFILE_FICLONE);
  return { codeFile: found.codeFile, variablesFile };
}
