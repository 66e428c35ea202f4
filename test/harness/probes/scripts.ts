/** Every script that the harness sends, by name, for the given paths. */
import { neighbourTable } from '../../../harness/addresses/neighbour-table.ts';
import type { Ran } from '../../../harness/addresses/run-here.ts';
import { stimulation } from '../../../harness/addresses/stimulation.ts';
import { powerOffScript } from '../../../harness/boot/power-off.ts';
import { Deadline } from '../../../harness/deadline.ts';
import { recordsScript } from '../../../harness/guest/guest-records.ts';
import { imageScript, machineScript } from '../../../harness/guest/identity.ts';
import { guestPathsScript } from '../../../harness/live/guest-paths.ts';
import type { GuestPaths, ProbeGuest } from '../../../harness/model.ts';
import { frame } from '../../../harness/probes/frame.ts';
import { phase9XcpngBoot } from '../../../scenarios/phase9-xcpng-boot.ts';

export const NONCE = '0123456789abcdef01234567';

/** Framed and ready for `sh -s`. */
export async function scripts(paths: GuestPaths): Promise<ReadonlyMap<string, string>> {
  const bodies = new Map([
    ['guest-identity', machineScript],
    ['image-identity', imageScript],
    ['guest-records', recordsScript],
    ['power-off', powerOffScript],
    ['guest-paths', guestPathsScript(paths)],
  ]);
  for (const probe of phase9XcpngBoot.probes) {
    const guest: ProbeGuest = {
      paths,
      bootMode: phase9XcpngBoot.bootMode,
      run: async (body) => {
        bodies.set(probe.name, body);
        return { state: 'unseen', reason: 'only the script was wanted' };
      },
    };
    await probe.observe(guest);
  }
  return new Map([...bodies].map(([name, body]) => [name, frame({ probe: name, nonce: NONCE, body })]));
}

/** Those that run beside the guests, unframed: on this machine or on the jump host. */
export async function hostScripts(): Promise<ReadonlyMap<string, string>> {
  const sent = new Map<string, string>();
  const run = async (name: string, script: string): Promise<Ran> => {
    sent.set(name, script);
    return { exit: 0, stdout: '', stderr: '' };
  };
  const passes = stimulation('127.77.0.0/30', 50, run);
  const table = neighbourTable({ run, where: 'a test', stimulation: passes });
  await table.find(['02:00:00:00:aa:01'], Deadline.after(5_000, new AbortController().signal));
  await passes.idle();
  return sent;
}
