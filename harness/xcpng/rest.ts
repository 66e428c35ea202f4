/** HTTP to Xen Orchestra: one fresh socket per request, errors told apart by their fields. */
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { byDeadline, type Deadline } from '../deadline.ts';
import type { FaultCode } from '../faults/fault-table.ts';
import { Fault } from '../faults/faults.ts';
import type { Secret } from '../workdir/secrets.ts';
import type { Endpoint } from './endpoint.ts';
import { connectionMaker } from './tls.ts';

export interface RestOptions {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** From the endpoint's base on, with its leading slash. */
  readonly path: string;
  readonly token?: Secret;
  readonly headers?: Readonly<Record<string, string>>;
  /** Writes the body and ends the request; none: no body. */
  readonly body?: (request: ClientRequest) => Promise<void>;
}

/** Longest text taken from an answer; a serial log may be long, an endless one must not fill the memory. */
const TEXT_MAX_BYTES = 16 * 1024 * 1024;

/**
 * Sends a request and resolves with the response's head; its body is still to be read. A fresh socket
 * each time: xo-server closes idle ones after 5 s, and one reused just then gives ECONNRESET.
 */
export function send(endpoint: Endpoint, options: RestOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const { base, tls } = endpoint;
  const headers: Record<string, string> = { 'accept-encoding': 'identity', ...options.headers };
  if (options.token) headers.cookie = `authenticationToken=${options.token.reveal()}`;
  const secure = base.startsWith('https:');
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(base + options.path, {
      method: options.method,
      headers,
      signal,
      createConnection: connectionMaker(secure, tls) as unknown as NonNullable<RequestOptions['createConnection']>,
    });
    request.on('response', resolve);
    request.on('error', reject);
    if (options.body === undefined) request.end();
    else {
      options.body(request).catch((error: unknown) => {
        reject(error);
        request.destroy();
      });
    }
  });
}

/** Runs something that takes an abort signal; the deadline or an interrupt aborts it. */
export async function cutByDeadline<T>(
  deadline: Deadline,
  code: FaultCode,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  try {
    return await byDeadline(deadline, code, what, work(stop.signal));
  } finally {
    stop.abort();
  }
}

/** The whole body as text, at most TEXT_MAX_BYTES of it. */
export async function readText(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > TEXT_MAX_BYTES) break;
  }
  return Buffer.concat(pieces).subarray(0, TEXT_MAX_BYTES).toString('utf8');
}

/** What XO says in an error: its JSON `error`, else the first line of whatever it sent. */
export function errorText(body: string): string {
  const parsed = parseJson(body);
  if (typeof parsed === 'object' && parsed !== null && 'error' in parsed) {
    return typeof parsed.error === 'string' ? parsed.error : JSON.stringify(parsed.error);
  }
  return body.trim().split('\n', 1)[0]?.slice(0, 200) ?? '';
}

/** Undefined: not JSON. An unknown route is answered in HTML, some failures in plain text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/**
 * A small request and its whole answer, whatever its status.
 * @throws Fault XO_UNREACHABLE when there is none, and the interrupt
 */
export async function ask(endpoint: Endpoint, options: RestOptions & { readonly deadline: Deadline }): Promise<Answer> {
  const what = `${options.method} ${endpoint.base}${options.path}`;
  try {
    return await cutByDeadline(options.deadline, 'XO_UNREACHABLE', what, async (signal) => {
      const response = await send(endpoint, options, signal);
      const text = await readText(response);
      return { status: response.statusCode ?? 0, headers: response.headers, text };
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (error instanceof Fault || code === '') throw error;
    throw new Fault('XO_UNREACHABLE', `${what}: ${code}`, { cause: error });
  }
}
