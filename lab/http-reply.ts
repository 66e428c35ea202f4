/** Replies of the HTTP side, byte for byte as recorded. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { XapiError, XoError } from './errors.ts';
import type { Json } from './json.ts';

/** JSON as Xen Orchestra's REST writes it: indented by two. */
export function replyJson(
  response: ServerResponse,
  status: number,
  body: Json,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = Buffer.from(JSON.stringify(body, null, 2));
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(text.length),
      ...headers,
    })
    .end(text);
}

export function replyRedirect(response: ServerResponse): void {
  const text = 'Found. Redirecting to /signin';
  response
    .writeHead(302, {
      location: '/signin',
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(text.length),
    })
    .end(text);
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export function replyNoRoute(request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const shown = `Cannot ${request.method} ${path}`.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? '');
  const page =
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n' +
    `<body>\n<pre>${shown}</pre>\n</body>\n</html>\n`;
  response
    .writeHead(404, { 'content-type': 'text/html; charset=utf-8', 'content-length': String(page.length) })
    .end(page);
}

const STATUS_OF_CODE: Readonly<Record<number, number>> = { 1: 404, 2: 403, 5: 403, 10: 422, 25: 409 };
const XAPI_INFO = 'This is a XenServer/XCP-ng error, not an XO error';

/** An error as REST shows it: 500 for every failure of the XAPI, with its code at the head of `error`. */
export function replyError(response: ServerResponse, thrown: unknown): void {
  const error = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof XoError) {
    const status = STATUS_OF_CODE[thrown.code] ?? 500;
    replyJson(response, status, { error, ...(thrown.data === undefined ? {} : { data: thrown.data }) });
  } else replyJson(response, 500, { error, ...(thrown instanceof XapiError ? { info: XAPI_INFO } : {}) });
}
