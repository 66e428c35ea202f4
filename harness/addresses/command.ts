/** The operator's own way to an address: a program that is given a MAC and prints the address, or nothing yet. */
import { isIP } from 'node:net';
import type { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { AddressSource, SaidAddress } from '../lab.ts';
import { type Environment, runProgram } from './run-here.ts';

const RUN_MS = 10_000;

/** @param words program and its arguments; the MAC is appended, no shell reads them */
export function addressCommand(words: readonly string[], environment: Environment): AddressSource {
  const ask = async (mac: string, deadline: Deadline): Promise<readonly SaidAddress[]> => {
    const { exit, stdout, stderr } = await runProgram([...words, mac], environment, deadline);
    const failed = (why: string): never => {
      throw new Fault('ADDRESS_SOURCE_FAILED', `addresses.command (${words.join(' ')} ${mac}): ${why}`.slice(0, 500));
    };
    if (exit !== 0) return failed(`exit ${exit ?? 'none'}${stderr === '' ? '' : `: ${stderr.trim()}`}`);
    const lines = stdout.split(/\s+/).filter((line) => line !== '');
    const wrong = lines.find((line) => isIP(line) === 0);
    if (wrong !== undefined) return failed(`expected addresses, given "${wrong.slice(0, 100)}"`);
    return lines.map((address) => ({ address, sure: true }));
  };
  return {
    name: 'command',
    async find(macs, deadline) {
      const found: SaidAddress[] = [];
      for (const mac of macs) found.push(...(await ask(mac, deadline.within(RUN_MS))));
      return found;
    },
  };
}
