/** Brings an image onto an SR through XO's REST API, and reads a disk back to compare it. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { ClientRequest } from 'node:http';
import type { Deadline } from '../deadline.ts';
import { Fault, type FaultCode } from '../faults.ts';
import type { ImportRecord, Progress } from '../lab.ts';
import type { PlannedImage } from '../model.ts';
import { stateOf } from './image-cache.ts';
import { cutByDeadline, errorText, readText, send } from './rest.ts';
import type { Session } from './session.ts';
import { planVhd, type VhdPlan, vhdStream } from './vhd.ts';

export interface UploadOptions {
  readonly image: PlannedImage;
  readonly srId: string;
  readonly name: string;
  /** Carries the claim. */
  readonly description: string;
  readonly deadline: Deadline;
  readonly onUpload: Progress;
}

export interface Uploaded {
  readonly vdiUuid: string;
  readonly record: Omit<ImportRecord, 'readBack'>;
}

const UNAUTHENTICATED = 401;
const FORBIDDEN = 403;

function statusCode(status: number, otherwise: FaultCode): FaultCode {
  if (status === UNAUTHENTICATED) return 'XO_SIGN_IN_REFUSED';
  return status === FORBIDDEN ? 'XO_PERMISSION' : otherwise;
}

/** Resolves when the socket took what was written, or when writing on makes no sense. */
function taken(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const events = ['drain', 'close', 'response', 'error'] as const;
    const done = (): void => {
      for (const event of events) request.off(event, done);
      resolve();
    };
    for (const event of events) request.on(event, done);
  });
}

/** What is sent must be what was planned: read-back would blame the lab for the difference. */
async function refuseChanged(image: PlannedImage, file: FileHandle): Promise<void> {
  if (stateOf(await file.stat({ bigint: true })) === image.fileState) return;
  throw new Fault('BAD_IMAGE', `image ${image.path}: it changed since it was planned`);
}

/** Writes the VHD as the body, no faster than the socket takes it. */
async function writeBody(request: ClientRequest, plan: VhdPlan, { image, onUpload }: UploadOptions): Promise<void> {
  const file = await open(image.path, 'r');
  let answered = false;
  request.once('response', () => {
    answered = true; // a refusal comes before the body was read; nobody wants the rest
  });
  try {
    await refuseChanged(image, file);
    let doneBytes = 0;
    for await (const piece of vhdStream(plan, file)) {
      if (answered || request.destroyed) return;
      // Everything has been read by then; after the last byte the server's answer would come before ours.
      if (doneBytes + piece.length === plan.lengthBytes) await refuseChanged(image, file);
      if (!request.write(piece)) await taken(request);
      doneBytes += piece.length;
      onUpload(doneBytes, plan.lengthBytes);
    }
    request.end();
  } finally {
    await file.close();
  }
}

function readUuid(body: string): string {
  const id = /^\s*\{\s*"id"\s*:\s*"([0-9a-f-]{36})"/i.exec(body)?.[1];
  if (id !== undefined) return id.toLowerCase();
  throw new Fault('UPLOAD_REFUSED', `expected the id of the new disk, given ${body.slice(0, 100)}`);
}

/**
 * Sends the image once, as a new disk. Not idempotent: before another try look for the claim.
 * @throws Fault UPLOAD_INTERRUPTED (retriable) when the connection died or the deadline passed,
 *   UPLOAD_REFUSED, XO_SIGN_IN_REFUSED, XO_PERMISSION, BAD_IMAGE (it changed meanwhile), and the interrupt
 */
export async function upload(session: Session, options: UploadOptions): Promise<Uploaded> {
  const { image, srId, deadline } = options;
  const plan = planVhd(image.sizeBytes, image.blocks, image.sha256);
  const query = new URLSearchParams({ name_label: options.name, name_description: options.description });
  const path = `/rest/v0/srs/${srId}/vdis?${query}`;
  const startedMs = deadline.clock.nowMs();
  let sentBytes = 0;
  const counted: UploadOptions = {
    ...options,
    onUpload: (done, total) => {
      sentBytes = done;
      options.onUpload(done, total);
    },
  };
  const what = (): string => `upload of ${image.path} to SR ${srId} (${sentBytes} of ${plan.lengthBytes} bytes sent)`;
  try {
    const body = await cutByDeadline(deadline, 'UPLOAD_INTERRUPTED', what(), async (signal) => {
      const headers = {
        'content-type': 'application/octet-stream',
        'content-length': String(plan.lengthBytes),
        // The socket is never used again. But told `close`, a server that refuses before it has read the body resets
        // the connection, and its reason is lost on the way.
        connection: 'keep-alive',
      };
      const write = (request: ClientRequest): Promise<void> => writeBody(request, plan, counted);
      const { token, endpoint } = session;
      const response = await send(endpoint, { method: 'POST', path, token, headers, body: write }, signal);
      const status = response.statusCode ?? 0;
      const text = await readText(response);
      if (status >= 300) {
        throw new Fault(statusCode(status, 'UPLOAD_REFUSED'), `${what()}: ${status} ${errorText(text)}`);
      }
      return text;
    });
    const ms = Math.round(deadline.clock.nowMs() - startedMs);
    return { vdiUuid: readUuid(body), record: { path: 'rest-post-vdis', bytes: plan.lengthBytes, ms } };
  } catch (error) {
    if (error instanceof Fault && error.code === 'UPLOAD_INTERRUPTED') {
      throw new Fault('UPLOAD_INTERRUPTED', `${what()}: not done within its time`, { cause: error });
    }
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (error instanceof Fault || code === '') throw error;
    throw new Fault('UPLOAD_INTERRUPTED', `${what()}: the connection ended (${code})`, { cause: error });
  }
}

/**
 * Reads the whole disk back and compares it with the image; what the SR rounded up must be zeros.
 * @throws Fault READ_BACK_DIFFERS, XO_UNREACHABLE (retriable), XO_CALL_FAILED, and the interrupt
 */
export async function readBack(
  session: Session,
  vdiUuid: string,
  image: PlannedImage,
  deadline: Deadline,
): Promise<void> {
  const path = `/rest/v0/vdis/${vdiUuid}.raw`;
  const differs = (how: string): never => {
    throw new Fault('READ_BACK_DIFFERS', `disk ${vdiUuid} read back: ${how}`);
  };
  try {
    await cutByDeadline(deadline, 'XO_UNREACHABLE', `GET ${path}`, async (signal) => {
      const { token, endpoint } = session;
      const response = await send(endpoint, { method: 'GET', path, token }, signal);
      const status = response.statusCode ?? 0;
      if (status >= 300) {
        const text = errorText(await readText(response));
        throw new Fault(statusCode(status, 'XO_CALL_FAILED'), `GET ${path}: ${status} ${text}`);
      }
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const piece of response as AsyncIterable<Buffer>) {
        const ours = piece.subarray(0, Math.max(0, image.sizeBytes - bytes));
        hash.update(ours);
        if (piece.subarray(ours.length).some((byte) => byte !== 0)) differs('something stands behind the image');
        bytes += piece.length;
      }
      if (bytes < image.sizeBytes) differs(`expected at least ${image.sizeBytes} bytes, given ${bytes}`);
      const sha256 = hash.digest('hex');
      if (sha256 !== image.sha256) differs(`expected sha256 ${image.sha256}, given ${sha256}`);
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (error instanceof Fault || code === '') throw error;
    throw new Fault('XO_UNREACHABLE', `GET ${path}: ${code}`, { cause: error });
  }
}
