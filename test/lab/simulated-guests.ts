/** A backend of simulated guests in this process, its slots, and a real SSH client for them; for tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CommandRecord, Observation } from '../../harness/model.ts';
import { frame, unframe } from '../../harness/probes/frame.ts';
import { type Attempt, attemptSsh } from '../../harness/ssh/attempt.ts';
import type { Login } from '../../harness/ssh/login.ts';
import { DIRECT } from '../../harness/ssh/route.ts';
import type { SshSession } from '../../harness/ssh/session.ts';
import type { BackendVm, RunningVm } from '../../lab/backend.ts';
import { simulatedBackend } from '../../lab/simulated/backend.ts';
import { type Slot, takeSlots } from '../../lab/slots.ts';
import { makeSshKeyPair } from '../../lab/ssh-key.ts';
import { makeStandInImage } from '../../lab/stand-in-image.ts';

export const PORT = 2222;
export const NONCE = '0123456789abcdef';
export const CLOSURE = '/frx/store/0123-fruix-system-known';
export const UUID = '5b9c6a52-0d1e-4b5f-8f00-0123456789ab';
/** Nothing here takes this long. */
export const ENOUGH_MS = 10_000;

export const dir = mkdtempSync(join(tmpdir(), 'bw-simulated-'));
const { privateKey, publicKey } = makeSshKeyPair('test');
/** Known to the backend: shepherd-pid1, CLOSURE. */
export const image = join(dir, 'image.raw');
await makeStandInImage(image, { closure: CLOSURE });
const block = await takeSlots(200, PORT);
let nextSlot = 0;
t.teardown(async () => {
  await block.release();
  rmSync(dir, { recursive: true, force: true });
});

export interface Started {
  readonly vm: BackendVm;
  readonly slot: Slot;
  readonly running: RunningVm;
}

/** A backend that answers as `answers` says; gives back how to start its VMs, which end with the test. */
export function lab(
  t: Test,
  answers: unknown = {},
): (changes?: Partial<BackendVm>, dead?: boolean) => Promise<Started> {
  const answersPath = join(dir, `answers-${nextSlot}.json`);
  writeFileSync(answersPath, JSON.stringify(answers));
  const images = [{ path: image, bootMode: 'shepherd-pid1', closure: CLOSURE }] as const;
  const log = (): void => undefined;
  const backend = simulatedBackend({ log, sshPort: PORT, authorizedKey: publicKey, answersPath, images });
  return async (changes = {}, dead = false) => {
    const slot = block.slots[nextSlot++ % block.slots.length];
    if (slot === undefined) throw new Error('no slot');
    const vm: BackendVm = {
      uuid: UUID,
      name: 'simulated',
      memoryBytes: 2 ** 29,
      cpus: 1,
      firmware: 'bios',
      nicType: null,
      bootOrder: 'c',
      disks: [{ path: image, position: '0', readOnly: false }],
      nics: [{ ...slot, dead }],
      dir,
      ...changes,
    };
    const running = await backend.start(vm);
    t.teardown(() => running.stop());
    return { vm, slot, running };
  };
}

/** The key that every guest here admits. */
export const rootKey = (): string => privateKey;

/** Root by a key without passphrase, straight. */
export const rootBy = (key: string): Login => ({
  ...{ user: 'root', become: null, keepaliveMs: 5_000, route: DIRECT },
  proof: { key: { text: Buffer.from(key), passphrase: null }, agent: null },
});

export function connect(
  { slot }: Started,
  bannerWaitMs = ENOUGH_MS,
  key = privateKey,
  changes: Partial<Login> = {},
): Promise<Attempt> {
  const signal = new AbortController().signal;
  const waits = { bannerWaitMs, handshakeWaitMs: 10_000, expectHostKey: null, signal };
  return attemptSsh({ host: slot.address, port: PORT, ...waits, ...rootBy(key), ...changes });
}

export async function session(t: Test, started: Started): Promise<SshSession> {
  const attempt = await connect(started);
  if (attempt.state !== 'ready') throw new Error(`no session: ${attempt.seen}`);
  t.teardown(() => attempt.session.close());
  return attempt.session;
}

export const run = (ssh: SshSession, probe: string, budgetMs = ENOUGH_MS): Promise<CommandRecord> =>
  ssh.run(probe, frame({ probe, nonce: NONCE, body: ':' }), budgetMs);
export const ask = async (ssh: SshSession, probe: string, budgetMs?: number): Promise<Observation> =>
  unframe(await run(ssh, probe, budgetMs), NONCE);
