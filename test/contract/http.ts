/** One HTTP request over a connection of its own, with full control of headers and body; for tests. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Buffer;
  /** Sends the body without `Content-Length`. */
  readonly chunked?: boolean;
  /** Destroys the connection after this much of the body was written; the promise then rejects. */
  readonly cutAfter?: number;
}

/** Rejects with the socket's error where there is no answer. */
export function ask(url: string, { method = 'GET', headers = {}, body, chunked = false, cutAfter }: Ask = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const request = url.startsWith('https:') ? httpsRequest : httpRequest;
    const length = body && !chunked ? { 'content-length': body.length } : {};
    const outgoing = request(url, { method, headers: { ...headers, ...length }, agent: false }, (incoming) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode, headers: incoming.headers, body: Buffer.concat(parts) }),
      );
    });
    outgoing.on('error', reject);
    if (body && chunked) outgoing.write(body.subarray(0, 10));
    if (body && cutAfter !== undefined) outgoing.write(body.subarray(0, cutAfter), () => outgoing.destroy());
    else outgoing.end(body && chunked ? body.subarray(10) : body);
  });
}

/** An answer in the recording's form. */
export function recordedForm({ status, headers, body }: Answer) {
  const shown: Record<string, string> = {};
  for (const name of ['content-type', 'content-length', 'location']) {
    const value = headers[name];
    if (typeof value === 'string') shown[name] = value;
  }
  return { status, headers: shown, text: body.toString() };
}
