/**
 * What we use of xo-lib 0.9.0, which ships no types. Members with `_` are its internals; why we need each
 * stands at its use.
 */
declare module 'xo-lib' {
  import type { EventEmitter } from 'node:events';

  export interface Notification {
    readonly method: string;
    readonly params: unknown;
  }

  export class Xo extends EventEmitter {
    constructor(options: { readonly url: string });
    _opts: Record<string, unknown>;
    readonly _peer: EventEmitter;
    readonly _socket: { terminate(): void } | null;
    /** Who is signed in, as `session.signIn` replied; undefined or null: nobody. */
    readonly user: unknown;
    readonly status: 'open' | 'connecting' | 'closed';
    open(): Promise<void>;
    signIn(credentials: Readonly<Record<string, string>>): Promise<void>;
    call(method: string, params: Readonly<Record<string, unknown>>): Promise<unknown>;
    close(): Promise<void>;
  }

  const exported: { readonly default: typeof Xo };
  export default exported;
}
