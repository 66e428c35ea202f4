/** The sources of addresses that a lab file names, beside guest metrics and slots, in the order of their trust. */
import { addressCommand } from '../addresses/command.ts';
import { neighbourTable } from '../addresses/neighbour-table.ts';
import { type Environment, runHere, type ScriptRunner } from '../addresses/run-here.ts';
import { stimulation } from '../addresses/stimulation.ts';
import type { AddressSource } from '../lab.ts';
import type { LabFile } from '../options/lab-tables.ts';
import type { JumpHost } from '../ssh/jump-host.ts';

/** @param jump there where `addresses.neighbours` names it (contradictions.ts) */
export function addressSources(
  { addresses }: LabFile,
  jump: JumpHost | null,
  environment: Environment,
): readonly AddressSource[] {
  const { neighbours, stimulate, stimulatePerS, command } = addresses;
  const sources: AddressSource[] = [];
  if (neighbours !== null) {
    const there: ScriptRunner | null =
      neighbours === 'jump' && jump !== null ? (name, script, deadline) => jump.run(name, script, deadline) : null;
    sources.push(
      neighbourTable({
        run: there ?? runHere(environment),
        where: neighbours === 'jump' ? 'the jump host' : 'this machine',
        stimulation: stimulate === null ? null : stimulation(stimulate, stimulatePerS, there),
      }),
    );
  }
  if (command !== null) sources.push(addressCommand(command, environment));
  return sources;
}
