/**
 * What clients see of the pool: the objects as they were at the last poll, so always a little behind the replies, and
 * the notifications `all` that carry the differences. Real Xen Orchestra polls with a pause of 200 ms; here a change
 * is shown that long after the last one (at most twice that), so that the lag is there every time.
 */
import { noSuchObject, type ObjectType } from './errors.ts';
import type { Inventory } from './inventory.ts';
import type { Json, XoObject } from './json.ts';
import { poolObjects } from './objects.ts';

/** Params of a notification `all`. `enter` is for new and changed objects, complete; `exit` maps ids to 0. */
export interface Notification {
  readonly type: 'enter' | 'exit';
  readonly items: Readonly<Record<string, Json>>;
}

interface Shown {
  readonly object: XoObject;
  readonly text: string;
}

export interface ObjectViewOptions {
  readonly pollMs: number;
  /** Extra lag of everything shown, in ms; asked at each poll. */
  readonly extraLagMs: () => number;
}

export class ObjectView {
  readonly #inventory: Inventory;
  readonly #options: ObjectViewOptions;
  #shown = new Map<string, Shown>();
  #byRef = new Map<string, XoObject>();
  /** Newest poll, shown or not yet (hidden pool). */
  #latest: readonly XoObject[] = [];
  #hidden = false;
  #firstChangeAt = 0;
  #pollTimer: NodeJS.Timeout | null = null;
  readonly #timers = new Set<NodeJS.Timeout>();
  #waiting: (() => void)[] = [];
  readonly #listeners = new Set<(notification: Notification) => void>();

  constructor(inventory: Inventory, options: ObjectViewOptions) {
    this.#inventory = inventory;
    this.#options = options;
    this.#latest = poolObjects(inventory);
    this.#show(this.#latest);
    inventory.onChange(() => this.#schedule());
  }

  /** By id or by opaque reference. */
  get(idOrRef: string): XoObject | undefined {
    return this.#shown.get(idOrRef)?.object ?? this.#byRef.get(idOrRef);
  }

  /** The same, of this type. @throws XoError code 1 */
  need(idOrRef: string, type?: ObjectType): XoObject {
    const object = this.get(idOrRef);
    const fits = type === undefined || type === object?.type || (Array.isArray(type) && type.includes(object?.type));
    if (!object || !fits) throw noSuchObject(idOrRef, type);
    return object;
  }

  /** Is the pool out of sight, see `hideFor`? */
  get isHidden(): boolean {
    return this.#hidden;
  }

  all(): XoObject[] {
    return [...this.#shown.values()].map((shown) => shown.object);
  }

  onNotification(listener: (notification: Notification) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves at the poll that sees all changes made so far. */
  polled(): Promise<void> {
    this.#schedule();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** All objects leave at once and come back after `ms`, as when Xen Orchestra loses its pool. */
  hideFor(ms: number): void {
    this.#hidden = true;
    this.#show([]);
    this.#later(ms, () => {
      this.#hidden = false;
      this.#show(this.#latest);
    });
  }

  close(): void {
    if (this.#pollTimer) clearTimeout(this.#pollTimer);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#listeners.clear();
  }

  #later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
  }

  #schedule(): void {
    const now = Date.now();
    const { pollMs } = this.#options;
    if (this.#pollTimer) clearTimeout(this.#pollTimer);
    else this.#firstChangeAt = now;
    const due = Math.min(now + pollMs, this.#firstChangeAt + 2 * pollMs);
    this.#pollTimer = setTimeout(() => this.#poll(), Math.max(0, due - now));
  }

  #poll(): void {
    this.#pollTimer = null;
    const objects = poolObjects(this.#inventory);
    const waiting = this.#waiting;
    this.#waiting = [];
    const lagMs = this.#options.extraLagMs();
    if (lagMs > 0) this.#later(lagMs, () => this.#arrive(objects));
    else this.#arrive(objects);
    for (const resolve of waiting) resolve();
  }

  #arrive(objects: readonly XoObject[]): void {
    this.#latest = objects;
    if (!this.#hidden) this.#show(objects);
  }

  #show(objects: readonly XoObject[]): void {
    const before = this.#shown;
    const after = new Map<string, Shown>();
    const byRef = new Map<string, XoObject>();
    const entered: Record<string, Json> = {};
    const exited: Record<string, Json> = {};
    for (const object of objects) {
      const text = JSON.stringify(object);
      after.set(object.id, { object, text });
      byRef.set(object._xapiRef, object);
      if (before.get(object.id)?.text !== text) entered[object.id] = object;
    }
    for (const id of before.keys()) if (!after.has(id)) exited[id] = 0;
    this.#shown = after;
    this.#byRef = byRef;
    this.#notify('enter', entered);
    this.#notify('exit', exited);
  }

  #notify(type: Notification['type'], items: Readonly<Record<string, Json>>): void {
    if (Object.keys(items).length === 0) return;
    // After the replies that waited for this poll: real notifications come after them, too.
    setImmediate(() => {
      for (const listener of this.#listeners) listener({ type, items });
    });
  }
}
