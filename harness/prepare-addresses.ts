/** The sources of addresses that a lab file names, beside guest metrics and slots, in the order of their trust. */
import { addressCommand } from './addresses/command.ts';
import { neighbourTable } from './addresses/neighbour-table.ts';
import { type Environment, runHere, type ScriptRunner } from './addresses/run-here.ts';
import { stimulation } from './addresses/stimulation.ts';
import { Fault } from './faults.ts';
import type { AddressSource } from './lab.ts';
import type { LabFile } from './lab-tables.ts';
import type { JumpHost } from './ssh/jump-host.ts';

/** @throws Fault BAD_LAB_FILE where a key needs another one */
export function addressSources(
  { path, addresses }: LabFile,
  jump: JumpHost | null,
  environment: Environment,
): readonly AddressSource[] {
  const { neighbours, stimulate, stimulatePerS, command } = addresses;
  const sources: AddressSource[] = [];
  if (neighbours !== null) {
    const there = neighbours === 'jump' ? onJump(path, jump) : null;
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

function onJump(path: string, jump: JumpHost | null): ScriptRunner {
  if (jump !== null) return (name, script, deadline) => jump.run(name, script, deadline);
  const expected = 'ssh.jump to name the host whose table is read';
  throw new Fault('BAD_LAB_FILE', `${path}: addresses.neighbours = "jump": expected ${expected}, given nothing`);
}
