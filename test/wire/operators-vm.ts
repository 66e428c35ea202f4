/** For tests: what an operator makes once, a VM with one disk and the MAC of a slot. */
import { readFileSync } from 'node:fs';
import { Deadline } from '../../harness/deadline.ts';
import type { Session } from '../../harness/xcpng/session.ts';
import type { Backstage } from './witness.ts';

export const MIB = 1024 * 1024;
/** The stand-in images of the lab have 8 MiB. */
export const IMAGE_BYTES = 8 * MIB;

export const within = (): Deadline => Deadline.after(60_000, new AbortController().signal);

export interface Operators {
  readonly vm: string;
  readonly vdi: string;
}

/** What an operator makes once: a VM with one disk, a slot's MAC, boot from disk. */
export async function makeVm(
  { lab, other }: { readonly lab: Pick<Backstage['lab'], 'labFile'>; readonly other: Backstage['other'] },
  diskBytes = IMAGE_BYTES,
): Promise<Operators> {
  const session = await other();
  const call = (method: string, params: Record<string, unknown>) => session.call(method, params, within());
  const [template] = session.objects.all('VM-template').filter(({ name }) => name === 'Other install media');
  const [sr] = session.objects.all('SR').filter(({ contentType }) => contentType !== 'iso');
  const [network] = session.objects.all('network');
  const mac = /^mac = "(.*)"$/m.exec(readFileSync(lab.labFile, 'utf8'))?.[1];
  const vm = String(
    await call('vm.create', {
      ...{ name_label: "the operator's", template: template?.id, VDIs: [], VIFs: [{ network: network?.id, mac }] },
      ...{ CPUs: 1, memory: 256 * MIB, hvmBootFirmware: 'bios', tags: ['precious'] },
    }),
  );
  const vdi = String(await call('disk.create', { name: 'its disk', size: diskBytes, sr: sr?.id }));
  await call('vm.attachDisk', { vm, vdi, position: '0', bootable: true });
  await call('vm.setBootOrder', { vm, order: 'c' });
  await shown(session, () => session.objects.all('VBD').some((vbd) => vbd.vm === vm && vbd.vdi === vdi));
  return { vm, vdi };
}

export async function shown(session: Session, look: () => boolean): Promise<void> {
  await session.objects.waitFor(within(), 'it to be shown', 'XO_OBJECT_LATE', () =>
    look() ? { done: true } : { seen: 'not yet' },
  );
}

export const fixedOptions = ({ vm, vdi }: Operators): readonly string[] => ['--fixed-vm', vm, '--fixed-vdi', vdi];

/** Waits until the guest of the run is shown as running. @returns its id */
export async function runningGuest(session: Session): Promise<string> {
  return session.objects.waitFor(within(), 'the guest', 'XO_OBJECT_LATE', () => {
    const found = session.objects.all('VM').find(({ name, powerState }) => {
      return name.startsWith('bootwitness ') && powerState === 'Running';
    });
    return found ? { done: found.id } : { seen: 'none runs' };
  });
}
