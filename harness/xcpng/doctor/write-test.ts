/**
 * Writes to an SR, or over a scratch disk, where the operator says so: does what is sent arrive, and what do blocks
 * that a later VHD leaves out read as? On that hangs whether an operator's disk can be overwritten. What was made is
 * removed.
 */
import { randomUUID } from 'node:crypto';
import { Deadline } from '../../deadline.ts';
import { Fault } from '../../faults/faults.ts';
import { broken, type Finding, type Look, look, ok, unknown } from '../../finding.ts';
import { BLOCK_BYTES } from '../../image/disk.ts';
import { type Claim, claimDescription, makeClaim } from '../claims.ts';
import { xoNowMs } from '../endpoint.ts';
import { overwrite, upload } from '../import.ts';
import { readBack } from '../read-back.ts';
import { readDisk } from '../read-disk.ts';
import type { Session } from '../session.ts';
import { type Made, takeBack } from '../take-back.ts';
import { digestOf, MORE, TEST_DISK_BYTES, type TestDisk, testDisk, ZEROS_DIGEST } from './test-disk.ts';

/** Where to write. */
export type WriteTarget =
  | { readonly kind: 'sr'; readonly srId: string; readonly poolId: string }
  | { readonly kind: 'vdi'; readonly uuid: string };

const CLAIM_MS = 3_600_000;
const REMOVE_MS = 5 * 60_000;
const MIB = 1024 * 1024;

type Transfer = { readonly path: string; readonly bytes: number; readonly ms: number };
const shownTransfer = ({ path, bytes, ms }: Transfer): string => {
  const [seconds, mib] = [ms / 1000, bytes / MIB];
  return `${path}: ${mib.toFixed(1)} MiB in ${seconds.toFixed(2)} s (${(mib / seconds).toFixed(1)} MiB/s)`;
};

/** @throws Fault BAD_OPTION: somebody may need what is on it */
export function checkScratch({ objects }: Session, uuid: string): void {
  const vdi = objects.get('VDI', uuid);
  const refuse = (why: string): never => {
    throw new Fault('BAD_OPTION', `--write-test: expected a scratch disk, given VDI ${uuid}, ${why}`);
  };
  const user = objects.all('VBD').find((vbd) => vbd.vdi === uuid);
  if (vdi === undefined) refuse('which the pool does not have');
  else if (user !== undefined) refuse(`which is attached to VM ${user.vm}`);
  else if (vdi.snapshots.length > 0) refuse(`which has ${vdi.snapshots.length} snapshot(s)`);
  else if (vdi.sizeBytes < TEST_DISK_BYTES) refuse(`which is smaller than ${TEST_DISK_BYTES / MIB} MiB`);
}

/** A new disk with our claim from its first moment. */
async function makeOn(session: Session, srId: string, made: Made, { source }: TestDisk, deadline: Deadline) {
  made.state = 'unknown';
  const description = claimDescription(made.claim);
  const wish = { source, srId, name: 'bootwitness write test', description, deadline, onUpload: () => undefined };
  const { vdiUuid, record } = await upload(session, wish);
  made.uuid = vdiUuid;
  made.state = 'answered';
  await session.objects.waitFor(deadline, `disk ${vdiUuid} to be listed`, 'XO_OBJECT_LATE', () =>
    session.objects.get('VDI', vdiUuid) === undefined ? { seen: 'not listed' } : { done: true },
  );
  made.state = 'made';
  await session.call('vdi.set', { id: vdiUuid, name_description: claimDescription(made.claim, vdiUuid) }, deadline);
  return { vdiUuid, record };
}

/** SHA-256 of each block of a disk, as it is read; null: it cannot be read. */
async function blocksOf(session: Session, vdiUuid: string, deadline: Deadline): Promise<readonly string[] | null> {
  const whole = Buffer.alloc(TEST_DISK_BYTES);
  let bytes = 0;
  const read = await readDisk(session, vdiUuid, deadline, (piece) => {
    piece.copy(whole, bytes, 0, Math.max(0, Math.min(piece.length, TEST_DISK_BYTES - bytes)));
    bytes += piece.length;
  });
  if (!read) return null;
  const blocks = TEST_DISK_BYTES / BLOCK_BYTES;
  return Array.from({ length: blocks }, (_, block) =>
    digestOf(whole.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES)),
  );
}

const KEPT =
  'An image that is emptier than the one before ends as READ_BACK_DIFFERS here, when it overwrites a fixed disk: use ' +
  'ephemeral guests on this SR, or a fixed disk on another one.';

/** What the blocks read as that the second disk has not. @param before, after as they were written */
export function leftOut(seen: readonly string[], before: TestDisk, after: TestDisk): Look {
  const gone = MORE.filter((block) => after.digests[block] === ZEROS_DIGEST);
  const written = after.digests.flatMap((digest, block) => (digest === ZEROS_DIGEST ? [] : [block]));
  const lost = written.filter((block) => seen[block] !== after.digests[block]);
  if (lost.length > 0) return broken(`block(s) ${lost.join(', ')} are not what was written over them`, 'Check the SR.');
  const old = gone.filter((block) => seen[block] === before.digests[block]);
  const zeros = gone.filter((block) => seen[block] === ZEROS_DIGEST);
  if (zeros.length === gone.length) return ok(`the ${gone.length} blocks that were left out read as zeros`);
  if (old.length === 0) return broken(`block(s) ${gone.join(', ')} read as something nobody wrote`, 'Check the SR.');
  return broken(`${old.length} of ${gone.length} blocks that were left out keep their old content`, KEPT);
}

/** Registers nothing but what it makes itself; a test that is killed leaves a disk whose claim expires in an hour. */
export async function writeTest(
  session: Session,
  target: WriteTarget,
  deadline: Deadline,
): Promise<readonly Finding[]> {
  const id = randomUUID();
  const [before, after] = [testDisk(id, 'more'), testDisk(id, 'fewer')];
  const claim: Claim = makeClaim({
    runId: id,
    caseId: 'write-test',
    xoNowMs: xoNowMs(session),
    ttlMs: CLAIM_MS,
  });
  const poolId = target.kind === 'sr' ? target.poolId : '';
  const made: Made = { claim, poolId, kind: 'VDI', uuid: null, state: 'none', creating: null };
  let vdiUuid = target.kind === 'vdi' ? target.uuid : null;
  const onto = (uuid: string, { source }: TestDisk): Promise<Transfer> =>
    overwrite(session, { source, vdiUuid: uuid, deadline, onUpload: () => undefined });
  const findings: Finding[] = [];
  try {
    findings.push(
      await look('write-test-write', async () => {
        if (target.kind === 'vdi') return ok(shownTransfer(await onto(target.uuid, before)));
        const first = await makeOn(session, target.srId, made, before, deadline);
        vdiUuid = first.vdiUuid;
        return ok(shownTransfer(first.record));
      }),
    );
    if (vdiUuid === null || findings[0]?.status !== 'ok') return findings;
    const uuid: string = vdiUuid;
    findings.push(
      await look('write-test-read', async () => {
        const read = await readBack(session, uuid, before.source, deadline);
        return read
          ? ok('what was written is read back')
          : unknown('this Xen Orchestra reads no disk back', 'Update it.');
      }),
      await look('write-test-over', async () => ok(shownTransfer(await onto(uuid, after)))),
      await look('write-test-zeros', async () => {
        const seen = await blocksOf(session, uuid, deadline);
        return seen === null
          ? unknown('the disk cannot be read back', 'Update Xen Orchestra.')
          : leftOut(seen, before, after);
      }),
    );
  } finally {
    findings.push(await look('write-test-removed', () => removed(session, target, made)));
  }
  return findings;
}

/** Also after an interrupt. */
async function removed(session: Session, target: WriteTarget, made: Made): Promise<Look> {
  if (target.kind === 'vdi') return ok('nothing was made; the scratch disk holds the test pattern now');
  const stayed = await takeBack(session, made, Deadline.after(REMOVE_MS, new AbortController().signal));
  if (stayed.length === 0) return ok('what was made is gone, as listed again');
  return broken(
    `LEFT IN THE LAB: ${stayed.join('; ')}`,
    'Remove it by hand, or sweep when its claim has expired (an hour).',
  );
}
