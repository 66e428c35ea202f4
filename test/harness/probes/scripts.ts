/** Every script that the harness sends, by name, for the given paths. */
import { recordsScript } from '../../../harness/guest-records.ts';
import { imageScript, machineScript } from '../../../harness/identity.ts';
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
