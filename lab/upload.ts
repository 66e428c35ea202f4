/** The body of an upload as a stream of chunks; where the mishaps say so its connection is cut on the way. */
import type { IncomingMessage } from 'node:http';
import type { World } from './world.ts';

/** Bytes that the request announces; undefined: chunked. */
export function announcedLength(request: IncomingMessage): number | undefined {
  const header = request.headers['content-length'];
  return header === undefined ? undefined : Number(header);
}

/** The pool may be lost just as the upload arrives: to be called before anything is looked up. */
export function uploadArrives({ mishaps, view, log }: World): void {
  const seconds = mishaps.vanishesAt('upload');
  if (seconds === null) return;
  log('mishap vanish-pool: an upload arrived');
  view.hideFor(seconds * 1000);
}

export function uploadBody(world: World, request: IncomingMessage): AsyncIterable<Buffer> {
  const end = world.mishaps.uploadEnds();
  if (end === null) return request;
  const bytes = Math.floor((announcedLength(request) ?? 0) * end.fraction);
  return cutAfter(request, bytes, (passed) => {
    world.log(`mishap: an upload ends after ${passed} bytes${end.restartSeconds === null ? '' : ', by a restart'}`);
    if (end.restartSeconds === null) request.socket.destroy();
    else world.restart(end.restartSeconds);
  });
}

async function* cutAfter(request: IncomingMessage, bytes: number, end: (passed: number) => void) {
  let passed = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    passed += chunk.length;
    if (passed >= bytes) {
      end(passed);
      throw new Error('connection cut');
    }
    yield chunk;
  }
}
