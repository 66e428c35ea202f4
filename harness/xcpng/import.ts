/**
 * Brings a disk into the lab by the best way that this Xen Orchestra knows: REST for a new disk, or the multipart
 * upload of older ones. Replaces the content of a disk that is there. The way taken is recorded.
 */
import { randomBytes } from 'node:crypto';
import type { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { ImportRecord, Progress } from '../lab.ts';
import type { DiskSource } from './disk-source.ts';
import { errorText } from './rest.ts';
import { isUnknownRoute, type Sent, sendDisk } from './send-disk.ts';
import type { Session } from './session.ts';

export interface UploadOptions {
  readonly source: DiskSource;
  readonly srId: string;
  readonly name: string;
  /** Carries the claim. */
  readonly description: string;
  readonly deadline: Deadline;
  readonly onUpload: Progress;
}

/** What sending alone tells. */
export type SentRecord = Pick<ImportRecord, 'path' | 'bytes' | 'ms' | 'mibPerS'>;

export interface Uploaded {
  readonly vdiUuid: string;
  readonly record: SentRecord;
}

/** A way in. Null: this XO does not know it, and nothing was made. */
type Way = (session: Session, options: UploadOptions) => Promise<Uploaded | null>;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function uuidOf(value: unknown, body: string): string {
  if (typeof value === 'string' && UUID.test(value)) return value.toLowerCase();
  throw new Fault('UPLOAD_REFUSED', `expected the id of the new disk, given ${body.slice(0, 100)}`);
}

function json(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {}; // what is no JSON has no id, and is quoted
  }
}

const BYTES_PER_MIB = 1024 * 1024;
const record = (path: string, { bytes, ms }: Sent): SentRecord => {
  const perS = bytes / BYTES_PER_MIB / (Math.max(1, ms) / 1000);
  return { path, bytes, ms, mibPerS: Math.round(perS * 1000) / 1000 };
};

const restPost: Way = async (session, { source, srId, name, description, deadline, onUpload }) => {
  const query = new URLSearchParams({ name_label: name, name_description: description });
  const path = `/rest/v0/srs/${srId}/vdis?${query}`;
  const common = { source, deadline, onUpload, target: `SR ${srId}` } as const;
  const sent = await sendDisk(session, { ...common, method: 'POST', path });
  if (isUnknownRoute(sent)) return null;
  return { vdiUuid: uuidOf(json(sent.text).id, sent.text), record: record('rest-post-vdis', sent) };
};

/**
 * The multipart upload of XO before its REST API. The path that the call gives is the permission, and works once.
 * `disk.importContent`, which would fill a disk that is there, is broken in the XO of 2026.
 */
const diskImport: Way = async (session, { source, srId, name, description, deadline, onUpload }) => {
  const reply = await session.call('disk.import', { name, description, sr: srId, type: 'vhd' }, deadline);
  const path = typeof reply === 'object' && reply !== null && '$sendTo' in reply ? reply.$sendTo : null;
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw new Fault('UPLOAD_REFUSED', `disk.import: expected a path to send to, given ${JSON.stringify(reply)}`);
  }
  const boundary = `bootwitness-${randomBytes(16).toString('hex')}`;
  const envelope = {
    type: `multipart/form-data; boundary=${boundary}`,
    before: Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="disk.vhd"\r\n` +
        'content-type: application/octet-stream\r\n\r\n',
    ),
    after: Buffer.from(`\r\n--${boundary}--\r\n`),
  };
  const common = { source, deadline, onUpload, envelope, withoutToken: true } as const;
  const sent = await sendDisk(session, { ...common, method: 'POST', path, target: `SR ${srId} by disk.import` });
  const { result, error } = json(sent.text);
  if (error !== undefined || isUnknownRoute(sent)) {
    throw new Fault('UPLOAD_REFUSED', `disk.import to SR ${srId}: ${sent.status} ${errorText(sent.text)}`);
  }
  return { vdiUuid: uuidOf(result, sent.text), record: record('disk-import', sent) };
};

/** Best first. */
const WAYS: readonly Way[] = [restPost, diskImport];

/**
 * Sends the disk once, as a new VDI. Not idempotent: before another try look for the claim.
 * @throws Fault as `sendDisk`
 */
export async function upload(session: Session, options: UploadOptions): Promise<Uploaded> {
  for (const way of WAYS) {
    const uploaded = await way(session, options);
    if (uploaded !== null) return uploaded;
  }
  throw new Fault('UPLOAD_REFUSED', `${session.endpoint.base}: this Xen Orchestra knows no way to import a disk`);
}

export interface OverwriteOptions {
  readonly source: DiskSource;
  readonly vdiUuid: string;
  readonly deadline: Deadline;
  readonly onUpload: Progress;
}

/**
 * Replaces the content of a VDI. What stands there after a broken one is undefined, so it is simply done again.
 * @throws Fault UPLOAD_REFUSED also where this XO has no such path, and as `sendDisk`
 */
export async function overwrite(session: Session, options: OverwriteOptions): Promise<SentRecord> {
  const { vdiUuid, ...rest } = options;
  const path = `/rest/v0/vdis/${vdiUuid}.vhd`;
  const sent = await sendDisk(session, { ...rest, method: 'PUT', path, target: `VDI ${vdiUuid}` });
  if (!isUnknownRoute(sent)) return record('rest-put-vdi', sent);
  const why = 'this Xen Orchestra cannot overwrite a disk (no PUT /rest/v0/vdis): update it';
  throw new Fault('UPLOAD_REFUSED', `VDI ${vdiUuid}: ${sent.status}, ${why}`);
}
