/** Sends a disk as the body of one request: a sparse VHD of known length, no faster than the socket takes it. */
import type { ClientRequest } from 'node:http';
import type { Deadline } from '../deadline.ts';
import type { FaultCode } from '../faults/fault-table.ts';
import { Fault } from '../faults/faults.ts';
import type { ImageDisk } from '../image/open-disk.ts';
import type { Progress } from '../lab.ts';
import type { DiskSource } from './disk-source.ts';
import { cutByDeadline, errorText, readText, send } from './rest.ts';
import type { Session } from './session.ts';
import { planVhd, type VhdPlan, vhdStream } from './vhd.ts';

export interface SendOptions {
  readonly source: DiskSource;
  readonly method: 'POST' | 'PUT';
  /** From the endpoint's base on. */
  readonly path: string;
  /** For messages, e.g. `SR <id>`. */
  readonly target: string;
  readonly deadline: Deadline;
  readonly onUpload: Progress;
  /** What stands around the VHD in a multipart body, with its content type; none: the VHD alone. */
  readonly envelope?: { readonly type: string; readonly before: Buffer; readonly after: Buffer };
  /** The path itself is the permission: no token is sent. */
  readonly withoutToken?: true;
}

export interface Sent {
  readonly status: number;
  readonly text: string;
  /** Bytes of the body. */
  readonly bytes: number;
  readonly ms: number;
}

const UNAUTHENTICATED = 401;
const FORBIDDEN = 403;
export const NO_SUCH_OBJECT = 404;

export function statusCode(status: number, otherwise: FaultCode): FaultCode {
  // The session was signed in with this very token.
  if (status === UNAUTHENTICATED) return 'XO_TOKEN_EXPIRED';
  return status === FORBIDDEN ? 'XO_PERMISSION' : otherwise;
}

/** XO does not know this path: an HTML page of its router, or the way to its sign-in page. */
export const isUnknownRoute = ({ status, text }: Pick<Sent, 'status' | 'text'>): boolean =>
  status === 302 || status === 405 || (status === 404 && !text.trimStart().startsWith('{'));

/** Resolves when the socket took what was written, or when writing on makes no sense. */
function taken(request: ClientRequest): Promise<void> {
  if (request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const events = ['drain', 'close', 'response', 'error'] as const;
    const done = (): void => {
      for (const event of events) request.off(event, done);
      resolve();
    };
    for (const event of events) request.on(event, done);
  });
}

/** Writes the VHD as the body, and closes the disk. */
async function writeBody(
  request: ClientRequest,
  plan: VhdPlan,
  disk: ImageDisk,
  { envelope, onUpload }: SendOptions,
): Promise<void> {
  let answered = false;
  request.once('response', () => {
    answered = true; // a refusal comes before the body was read; nobody wants the rest
  });
  try {
    await disk.refuseChanged();
    if (envelope) request.write(envelope.before);
    let doneBytes = 0;
    for await (const piece of vhdStream(plan, disk)) {
      if (answered || request.destroyed) return;
      // Everything has been read by then; after the last byte the server's answer would come before ours.
      if (doneBytes + piece.length === plan.lengthBytes) await disk.refuseChanged();
      if (!request.write(piece)) await taken(request);
      if (request.destroyed) return; // it was not sent; the next try may have begun
      doneBytes += piece.length;
      onUpload(doneBytes, plan.lengthBytes);
    }
    if (envelope) request.write(envelope.after);
    request.end();
  } finally {
    await disk.close();
  }
}

/**
 * Sends the disk once.
 * @returns XO's answer where it took the disk, or does not know the path (see `isUnknownRoute`)
 * @throws Fault UPLOAD_INTERRUPTED (retriable) when the connection died or the deadline passed, UPLOAD_REFUSED,
 *   XO_TOKEN_EXPIRED, XO_PERMISSION, BAD_IMAGE (it changed meanwhile), as `openDisk`, and the interrupt
 */
export async function sendDisk(session: Session, options: SendOptions): Promise<Sent> {
  const { source, deadline, envelope } = options;
  const plan = planVhd(source.sizeBytes, source.blocks, source.sha256);
  const bytes = plan.lengthBytes + (envelope ? envelope.before.length + envelope.after.length : 0);
  // Before the request: one that waits while an image is decompressed is cut by whoever is in between.
  const disk = await source.open(deadline.signal);
  const startedMs = deadline.clock.nowMs();
  let sentBytes = 0;
  let begun = false;
  const counted: SendOptions = {
    ...options,
    onUpload: (done, total) => {
      sentBytes = done;
      options.onUpload(done, total);
    },
  };
  const of = `${sentBytes} of ${plan.lengthBytes} bytes sent`;
  const what = (): string =>
    `upload of ${source.image.path} to ${options.target} (${of.replace(/^\d+/, String(sentBytes))})`;
  try {
    const answer = await cutByDeadline(deadline, 'UPLOAD_INTERRUPTED', what(), async (signal) => {
      const headers = {
        'content-type': envelope?.type ?? 'application/octet-stream',
        'content-length': String(bytes),
        // The socket is never used again. But told `close`, a server that refuses before it has read the body resets
        // the connection, and its reason is lost on the way.
        connection: 'keep-alive',
      };
      const body = (request: ClientRequest): Promise<void> => {
        begun = true;
        return writeBody(request, plan, disk, counted);
      };
      const { token, endpoint } = session;
      const who = options.withoutToken ? {} : { token };
      const { method, path } = options;
      const response = await send(endpoint, { method, path, ...who, headers, body }, signal);
      return { status: response.statusCode ?? 0, text: await readText(response) };
    });
    if (answer.status === NO_SUCH_OBJECT && !isUnknownRoute(answer) && (await session.objects.poolCameBack(deadline))) {
      throw new Fault('UPLOAD_INTERRUPTED', `${what()}: Xen Orchestra had lost its pool`);
    }
    if (answer.status >= 300 && !isUnknownRoute(answer)) {
      const why = `${what()}: ${answer.status} ${errorText(answer.text)}`;
      throw new Fault(statusCode(answer.status, 'UPLOAD_REFUSED'), why);
    }
    return { ...answer, bytes, ms: Math.round(deadline.clock.nowMs() - startedMs) };
  } catch (error) {
    if (error instanceof Fault && error.code === 'UPLOAD_INTERRUPTED') {
      throw new Fault('UPLOAD_INTERRUPTED', `${what()}: not done within its time`, { cause: error });
    }
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (error instanceof Fault || code === '') throw error;
    throw new Fault('UPLOAD_INTERRUPTED', `${what()}: the connection ended (${code})`, { cause: error });
  } finally {
    if (!begun) await disk.close();
  }
}
