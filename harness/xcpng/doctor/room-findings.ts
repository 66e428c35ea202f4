/** Room where a guest would be made: the SR and its free space, hosts and their free memory. */

import { Fault } from '../../faults/faults.ts';
import { type Finding, type Look, look, ok, warning } from '../../finding.ts';
import type { PlannedImage } from '../../model.ts';
import type { Placement } from '../placement.ts';
import { checkSrState, reclaimableOn, usableHosts } from '../preflight.ts';
import { diskNeed, memoryRoom, type Room, sized, srRoom } from '../room.ts';
import type { Session } from '../session.ts';
import type { XoLabSettings } from '../settings.ts';
import type { Host, Sr } from '../wire-pool.ts';

/** Of which nothing is known but that it is not empty. */
const SOME_IMAGE = { sizeBytes: 1024 ** 3, blocks: [0] };

function shown(room: Room, fine: string, remedy: string): Look {
  if (room.state === 'short') throw new Fault(room.code, room.sentence);
  return room.state === 'tight' ? warning(room.sentence, remedy) : ok(fine);
}

function free({ sizeBytes, usedBytes, name, srType }: Sr): string {
  const left = usedBytes === null ? 'an unknown part' : sized(Math.max(0, sizeBytes - usedBytes));
  return `"${name}" (${srType || 'unknown type'}): ${left} free of ${sized(sizeBytes)}`;
}

function memory(hosts: readonly Host[]): string {
  const texts = hosts.map(({ name, memory: of }) =>
    of === null ? `"${name}" not measured` : `"${name}" ${sized(Math.max(0, of.sizeBytes - of.usedBytes))} free`,
  );
  return texts.join(', ');
}

/** @param image null: none was named, so that free space is shown for one of 1 GiB */
export async function roomFindings(
  { objects }: Session,
  { shape }: XoLabSettings,
  placement: Placement,
  image: PlannedImage | null,
): Promise<readonly Finding[]> {
  const { sr } = placement;
  return [
    await look('sr-space', () => {
      checkSrState(objects, placement);
      const room = srRoom(sr, diskNeed(sr, image ?? SOME_IMAGE));
      return shown(room, free(sr), 'Free space on the SR, or name another one (placement.sr).');
    }),
    await look('host-memory', () => {
      const hosts = usableHosts(objects, placement);
      const room = memoryRoom(hosts, shape, reclaimableOn(objects));
      return shown(room, memory(hosts), 'Free memory on the hosts, or order a smaller guest (placement.memory_mib).');
    }),
  ];
}
