/**
 * Makes an entry: a VM without NIC, the image on a disk of it, read back and compared, the VM a template. Its ready
 * mark is written last, so that what a killed run leaves is never taken for one. Two that make the same one at the same
 * moment find out before anything is sent.
 */
import { Fault } from '../../faults/faults.ts';
import type { ImportRecord } from '../../lab.ts';
import { attachDisk } from '../attach-disk.ts';
import { type Claim, selfTag } from '../claims.ts';
import { xoNowMs } from '../endpoint.ts';
import { intendDisk, type MadeDisk, makeDisk } from '../make-disk.ts';
import { createVm } from '../make-vm.ts';
import { answerLost, type Making, register } from '../making.ts';
import { type Made, takeBack } from '../take-back.ts';
import { type Entry, readEntries } from './entries.ts';
import { aliveTag, entryClaim, readyTag } from './entry-tags.ts';
import { Heartbeat } from './heartbeat.ts';
import { entriesOf, isLeaving, isWanted, type Keeper } from './keeper.ts';
import { shortOf } from './room.ts';

const CREATE_TRIES_MAX = 3;

export interface MadeEntry {
  readonly id: string;
  readonly imported: ImportRecord;
}

function newEntryClaim({ session, settings, order, placement }: Making): Claim {
  const { sha256: digest, sizeBytes: bytes } = order.image;
  const times = { xoNowMs: xoNowMs(session), ttlMs: settings.claimTtlMs };
  return entryClaim({ digest, bytes, base: placement.templateId, runId: order.runId, ...times });
}

/** As `making`, but what is made is the entry's. */
const forEntry = (making: Making): Making => ({
  ...making,
  forCache: true,
  name: `bootwitness cache ${shortOf({ digest: making.order.image.sha256 })}`,
  order: { ...making.order, readBack: true },
  newClaim: () => newEntryClaim(making),
});

/**
 * @param dead ids of entries whose makers do not get on: no rivals
 * @returns null: somebody else makes it at the same moment, and has the better right
 * @throws Fault as `makeDisk` and `Session.call`; what was made until then is in the order's disposals
 */
export async function makeEntry(keeper: Keeper, dead: ReadonlySet<string>): Promise<MadeEntry | null> {
  const making = forEntry(keeper.making);
  const { session, order } = making;
  const disk = intendDisk(making);
  const { id, made } = await entryVm(making);
  if (!(await isOurs({ ...keeper, making }, id, dead))) {
    const left = await takeBack(session, made, order.deadline);
    if (left.length > 0) throw new Fault('XO_CALL_FAILED', `an entry that nobody needs stays: ${left.join('; ')}`);
    made.state = 'none';
    return null;
  }
  await session.call('tag.add', { id, tag: selfTag(id) }, order.deadline);
  const heart = new Heartbeat(making, id);
  let beats: readonly string[];
  let sent: MadeDisk;
  try {
    sent = await makeDisk({ ...making, order: { ...order, onUpload: heart.onUpload } }, disk);
    await attachDisk(making, id, sent.vdiUuid);
    await toTemplate(making, id);
    await whole(making, id, sent.vdiUuid);
  } finally {
    beats = await heart.stop();
  }
  await markReady(making, id, sent);
  // From here on it is nobody's left-over.
  made.state = 'none';
  disk.state = 'none';
  order.disposals.note('cache', { ready: id, disk: sent.vdiUuid });
  for (const tag of beats) await session.call('tag.remove', { id, tag }, order.deadline);
  return { id, imported: { ...sent.imported, cache: 'made', entry: id } };
}

async function entryVm(making: Making): Promise<{ readonly id: string; readonly made: Made }> {
  const { session, order, placement, name, settings } = making;
  for (let tries = 1; ; tries++) {
    const claim = making.newClaim();
    const made = register(making, 'VM', claim);
    try {
      const id = await createVm(making, made, null, {
        name_label: name,
        name_description: `image ${order.image.sha256}, kept by Bootwitness: runs are cloned from it`,
        template: placement.templateId,
        ...{ VDIs: [], VIFs: [], CPUs: settings.shape.cpus, cpusMax: settings.shape.cpus },
        memory: settings.shape.memoryMiB * 1024 * 1024,
        tags: [...claim.tags, aliveTag(0)],
      });
      await session.objects.waitFor(order.deadline, `VM ${id} to be listed`, 'XO_OBJECT_LATE', () =>
        session.objects.get('VM', id) === undefined ? { seen: 'not listed' } : { done: true },
      );
      made.state = 'made';
      return { id, made };
    } catch (error) {
      if (!answerLost(session, error) || tries === CREATE_TRIES_MAX) throw error;
    }
  }
}

/** Waits until a rival of the same moment must be visible. One with its `self` tag has won, else the lower uuid. */
async function isOurs(keeper: Keeper, id: string, dead: ReadonlySet<string>): Promise<boolean> {
  const { order, settings } = keeper.making;
  const { deadline } = order;
  await deadline.clock.sleep(settings.settleMs, deadline.signal);
  deadline.check();
  const rival = (entry: Entry): boolean =>
    entry.id !== id && entry.state === 'making' && !dead.has(entry.id) && isWanted(keeper, entry);
  const better = entriesOf(keeper).find(
    (entry) => rival(entry) && !isLeaving(keeper, entry) && (entry.namesItself || entry.id < id),
  );
  if (better === undefined) return true;
  order.disposals.note('cache', { lost: id, to: better.id });
  return false;
}

async function toTemplate({ session, order }: Making, id: string): Promise<void> {
  const isTemplate = (): boolean => session.objects.raw(id)?.type === 'VM-template';
  try {
    await session.call('vm.convertToTemplate', { id }, order.deadline);
  } catch (error) {
    if (!answerLost(session, error)) throw error;
    const within = order.deadline.within(5_000);
    const shown = await session.objects
      .waitFor(within, 'the template', 'XO_OBJECT_LATE', () => (isTemplate() ? { done: true } : { seen: 'a VM' }))
      .catch(() => isTemplate());
    if (!shown) await session.call('vm.convertToTemplate', { id }, order.deadline);
  }
}

/** Waits until XO shows it as it is to be, whoever looks. */
async function whole({ session, order }: Making, id: string, disk: string): Promise<void> {
  await session.objects.waitFor(order.deadline, `template ${id} to be listed with its disk`, 'XO_OBJECT_LATE', () => {
    const entry = readEntries(session.objects.raws).find((each) => each.id === id);
    const isTemplate = session.objects.raw(id)?.type === 'VM-template';
    return isTemplate && entry?.disk === disk ? { done: true } : { seen: 'an older state' };
  });
}

async function markReady({ session, order }: Making, id: string, { vdiUuid, imported }: MadeDisk): Promise<void> {
  const diskBytes = session.objects.get('VDI', vdiUuid)?.sizeBytes ?? 0;
  const ready = { atMs: xoNowMs(session), disk: vdiUuid, diskBytes, compared: imported.readBack };
  await session.call('tag.add', { id, tag: readyTag(ready) }, order.deadline);
  await session.objects.waitFor(order.deadline, `entry ${id} to be ready`, 'XO_OBJECT_LATE', () => {
    const entry = readEntries(session.objects.raws).find((each) => each.id === id);
    return entry?.state === 'ready' ? { done: true } : { seen: entry?.wrong ?? entry?.state ?? 'not shown' };
  });
}
