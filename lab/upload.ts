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
  const length = announcedLength(request) ?? 0;
  const tellAt = world.mishaps.take('tell-upload');
  const body = tellAt === undefined ? request : telling(request, Math.floor(length * Number(tellAt)), world.log);
  const end = world.mishaps.uploadEnds();
  if (end === null) return body;
  return cutAfter(body, Math.floor(length * end.fraction), (passed) => {
    world.log(`mishap: an upload ends after ${passed} bytes${end.restartSeconds === null ? '' : ', by a restart'}`);
    if (end.restartSeconds === null) request.socket.destroy();
    else world.restart(end.restartSeconds);
  });
}

async function* telling(body: AsyncIterable<Buffer>, bytes: number, log: World['log']): AsyncIterable<Buffer> {
  let passed = 0;
  let told = false;
  for await (const chunk of body) {
    passed += chunk.length;
    if (!told && passed >= bytes) {
      told = true;
      log(`mishap tell-upload: ${passed} bytes arrived`);
    }
    yield chunk;
  }
}

async function* cutAfter(body: AsyncIterable<Buffer>, bytes: number, end: (passed: number) => void) {
  let passed = 0;
  for await (const chunk of body) {
    passed += chunk.length;
    if (passed >= bytes) {
      end(passed);
      throw new Error('connection cut');
    }
    yield chunk;
  }
}
