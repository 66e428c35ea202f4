/** Goes into a machine that runs, once: nobody waits here for one that boots. */

import type { Pace } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { attemptSsh } from '../ssh/attempt.ts';
import type { Login } from '../ssh/login.ts';
import type { SshSession } from '../ssh/session.ts';
import { written } from './target.ts';

/** A busy machine's sshd takes a moment for its banner, and emulation for the handshake. */
const BANNER_WAIT_MS = 10_000;
const HANDSHAKE_WAIT_MS = 20_000;

export interface Door {
  readonly host: string;
  readonly port: number;
  /** `SHA256:…` that it must have; null: any. */
  readonly hostKey: string | null;
}

/**
 * @throws Fault SSH_UNREACHABLE, SSH_KEY_REFUSED, SSH_NO_AGREEMENT, SSH_HOST_KEY, those of a jump host, the interrupt
 */
export async function enter({ host, port, hostKey }: Door, login: Login, pace: Pace): Promise<SshSession> {
  const { signal, budgetScale } = pace;
  const attempt = await attemptSsh({
    ...{ host, port, ...login, expectHostKey: hostKey, signal },
    bannerWaitMs: BANNER_WAIT_MS * budgetScale,
    handshakeWaitMs: HANDSHAKE_WAIT_MS * budgetScale,
  });
  if (signal.aborted) {
    if (attempt.state === 'ready') attempt.session.close();
    throw signal.reason;
  }
  const where = `ssh to ${written(host, port)}`;
  switch (attempt.state) {
    case 'ready':
      return attempt.session;
    case 'refused-key':
      throw new Fault('SSH_KEY_REFUSED', `${where}: ${attempt.seen}`);
    case 'no-agreement':
      throw new Fault('SSH_NO_AGREEMENT', `${where}: ${attempt.seen}`);
    case 'wrong-host-key':
      throw new Fault('SSH_HOST_KEY', `${where}: ${attempt.seen}; nothing was shown to it`);
    case 'not-yet':
      throw attempt.blame ?? new Fault('SSH_UNREACHABLE', `${where}: ${attempt.seen}`);
  }
}
