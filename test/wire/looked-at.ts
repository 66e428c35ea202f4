/** For the tests of `npm run probe`: a simulated guest, and the call that looks at it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { lab, PORT, rootKey } from '../lab/simulated-guests.ts';
import { type Called, callProbe } from '../probe-call.ts';

export const RC = 'freebsd-init+rc.d-shepherd';
export const dir = mkdtempSync(join(tmpdir(), 'bw-probe-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
/** File of the key that every simulated guest admits. */
export const key = join(dir, 'key');
writeFileSync(key, rootKey(), { mode: 0o600 });

/** A simulated guest, and the arguments that lead to it. */
export async function machine(t: Test, guest: unknown): Promise<readonly string[]> {
  const started = await lab(t, { guests: [guest] })();
  return ['--ssh', `root@${started.slot.address}:${PORT}`, '--ssh-key', key];
}

export const looked = async (t: Test, guest: unknown, ...args: readonly string[]): Promise<Called> =>
  callProbe([...(await machine(t, guest)), ...args]);
