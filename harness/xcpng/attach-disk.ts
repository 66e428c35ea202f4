/** Attaches a disk as a VM's first, once, also where the answer is lost. */
import { Fault } from '../faults/faults.ts';
import { answerLost, type Making, shownAfterAll } from './making.ts';

/** @throws Fault as `Session.call` */
export async function attachDisk({ session, order }: Making, vmUuid: string, vdiUuid: string): Promise<void> {
  const { deadline } = order;
  const attached = (): true | undefined =>
    session.objects.all('VBD').some(({ vm, vdi }) => vm === vmUuid && vdi === vdiUuid) || undefined;
  const call = (): Promise<unknown> =>
    session.call('vm.attachDisk', { vm: vmUuid, vdi: vdiUuid, position: '0', bootable: true }, deadline);
  try {
    await call();
  } catch (error) {
    if (!answerLost(session, error)) throw error;
    const what = 'the disk whose attaching was not answered';
    if (await shownAfterAll(session, deadline, what, attached)) return;
    await call().catch((again: unknown) => {
      if (!(again instanceof Fault) || !attached()) throw again; // the first call came through after all
    });
  }
}
