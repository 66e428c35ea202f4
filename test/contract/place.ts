/**
 * Where contract tests run: the embedded lab in this process, or a real Xen Orchestra that the environment names. The
 * tests see no difference; `everywhere` runs each in both, and counts it as skipped where no real one is named.
 */
import t, { type Test } from 'tap';
import type { Xo } from 'xo-lib';
import type { XoObject } from '../../lab/json.ts';
import type { Answer, Ask } from './http.ts';
import { testEndpoint } from './open-endpoint.ts';
import { REAL, realPlace } from './real-place.ts';

export type Filter = Readonly<Record<string, unknown>>;

export interface Place {
  readonly url: string;
  /** Of an administrator, or at least of a user with `admin` on the pool. */
  readonly token: string;
  /** Signed in with it. */
  readonly xo: Xo;
  /** A further client: not signed in, opened. */
  newXo(): Promise<Xo>;
  /** The one object that is shown and has these properties. */
  the(filter: Filter): Promise<XoObject>;
  shown(filter: Filter): Promise<readonly XoObject[]>;
  /** Waits for notifications until the objects shown satisfy this. */
  until(filter: Filter, holds: (found: readonly XoObject[]) => boolean): Promise<void>;
  /** Where objects of a test may be made. */
  sr(): Promise<XoObject>;
  network(): Promise<XoObject>;
  /** A default template without disks. */
  template(): Promise<XoObject>;
  /** The name of an object of this test, which nobody else's has. */
  name(label: string): string;
  /** REST with the token as cookie, unless headers say otherwise. */
  rest(path: string, asked?: Ask): Promise<Answer>;
  /** One HTTP request to a path that a call gave, without the token. */
  send(path: string, asked: Ask): Promise<Answer>;
  /** A halted VM with one disk attached, all of it shown. */
  makeVm(label?: string): Promise<{ readonly vm: string; readonly vdi: string; readonly mac: string }>;
}

/** A test of what any Xen Orchestra does. It makes what it needs under names of `place.name`, and nothing else. */
export function everywhere(name: string, body: (t: Test, place: Place) => Promise<void>): void {
  t.test(name, async (t) => body(t, await testEndpoint(t)));
  const skip = REAL === null ? 'no BOOTWITNESS_TEST_XO_URL' : false;
  t.test(`${name}: a real one`, { skip }, async (t) => body(t, await realPlace(t)));
}
