/** The body of an upload as a stream of chunks; where the mishaps say so its connection is cut on the way. */
import type { IncomingMessage } from 'node:http';
import type { World } from './world.ts';

/** Bytes that the request announces; undefined: chunked. */
export function announcedLength(request: IncomingMessage): number | undefined {
  const header = request.headers['content-length'];
  return header === undefined ? undefined : Number(header);
}

export function uploadBody(world: World, request: IncomingMessage): AsyncIterable<Buffer> {
  const fraction = world.mishaps.get('upload-cut');
  if (fraction === undefined) return request;
  return cutAfter(request, Math.floor((announcedLength(request) ?? 0) * Number(fraction)), world.log);
}

async function* cutAfter(request: IncomingMessage, bytes: number, log: (line: string) => void) {
  let passed = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    passed += chunk.length;
    if (passed >= bytes) {
      log(`mishap upload-cut: connection cut after ${passed} bytes`);
      request.socket.destroy();
      throw new Error('connection cut');
    }
    yield chunk;
  }
}
