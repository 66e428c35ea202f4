/** Paths `/api/<random>` that calls hand out (`$sendTo`, `$getFrom`): the path is the permission, and works once. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

export type PathHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export class OneTimePaths {
  readonly #handlers = new Map<string, PathHandler>();

  add(handler: PathHandler): string {
    const path = `/api/${randomBytes(32).toString('base64url')}`;
    this.#handlers.set(path, handler);
    return path;
  }

  /** As when the process that gave them out ended. */
  forget(): void {
    this.#handlers.clear();
  }

  /** The handler of a path, once. */
  take(path: string): PathHandler | undefined {
    const handler = this.#handlers.get(path);
    this.#handlers.delete(path);
    return handler;
  }
}
