/** How guests are logged in to: the caller's key over the lab file's, the agent, the jump host. */

import { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import { type GivenProof, type Request, readSecretFile } from '../options/config.ts';
import type { GuestTables, SshTable } from '../options/lab-tables.ts';
import { JumpHost } from '../ssh/jump-host.ts';
import { checkAgent, loadPrivateKey } from '../ssh/keys.ts';
import type { Login, SshKey, SshProof } from '../ssh/login.ts';
import { DIRECT } from '../ssh/route.ts';
import type { Secret } from '../workdir/secrets.ts';

export interface Logins {
  /** @throws Fault BAD_KEY where neither the caller nor the lab file names a key or an agent */
  login(): Login;
  /** The lab's own key where it names one; it was put into the control image. @throws Fault BAD_KEY */
  controlLogin(): Login;
  /** What was read for that, without anything secret: to be written down. */
  readonly ssh: SshTable;
  /** Null: guests are reached straight. */
  readonly jump: JumpHost | null;
  /** Asks the agent for its keys, where one is named. @throws Fault BAD_KEY */
  check(signal: AbortSignal): Promise<void>;
}

const CALLERS_KEY = 'ssh key';
const AGENT_MS = 10_000;

/** @throws Fault BAD_KEY, BAD_OPTION, BAD_ENVIRONMENT */
export function prepareLogins(request: GivenProof, file: GuestTables): Logins {
  const { ssh, path } = file;
  const passphrase = passphraseOf(request, file);
  const agent = agentOf(request, file);
  const labKey = (): SshKey | null =>
    ssh.key === null ? null : loadPrivateKey(`${path}: ssh.key`, ssh.key, passphrase);
  const proof = (key: SshKey | null): SshProof => {
    if (key !== null || agent !== null) return { key, agent };
    throw new Fault('BAD_KEY', '--ssh-key: expected a private key, given nothing (nor in the lab file as ssh.key)');
  };
  const own = (): SshKey | null =>
    request.sshKeyPath === null ? labKey() : loadPrivateKey(CALLERS_KEY, request.sshKeyPath, passphrase);
  const jump = ssh.jump && jumpHost(file, ssh.jump, () => proof(own()), { passphrase, agent });
  const common = {
    ...{ user: ssh.user, become: ssh.become, keepaliveMs: ssh.keepaliveS * 1000, route: jump ?? DIRECT },
  };
  return {
    login: () => ({ ...common, proof: proof(own()) }),
    controlLogin: () => ({ ...common, proof: proof(labKey() ?? own()) }),
    ssh: { ...ssh, key: request.sshKeyPath ?? ssh.key },
    jump,
    check: async (signal) => {
      if (agent !== null) await checkAgent('ssh.agent', agent, Deadline.after(AGENT_MS, signal));
    },
  };
}

function jumpHost(
  { path, ssh }: GuestTables,
  jump: NonNullable<GuestTables['ssh']['jump']>,
  otherwise: () => SshProof,
  { passphrase, agent }: { readonly passphrase: Secret | null; readonly agent: string | null },
): JumpHost {
  const { host, port, user, hostKey } = jump;
  const proof =
    jump.key === null ? otherwise() : { key: loadPrivateKey(`${path}: ssh.jump.key`, jump.key, passphrase), agent };
  return new JumpHost({ host, port, user, hostKey, proof, keepaliveMs: ssh.keepaliveS * 1000 });
}

function passphraseOf({ sshPassphrase }: GivenProof, { path, ssh }: GuestTables): Secret | null {
  if (sshPassphrase !== null) return sshPassphrase;
  if (ssh.passphraseFile === null) return null;
  return readSecretFile(`${path}: ssh.passphrase_file`, 'the passphrase', ssh.passphraseFile);
}

function agentOf({ sshAuthSock }: GivenProof, { ssh }: GuestTables): string | null {
  if (ssh.agent !== 'env') return ssh.agent;
  if (sshAuthSock !== null) return sshAuthSock;
  throw new Fault('BAD_OPTION', 'ssh.agent = "env": expected SSH_AUTH_SOCK to name a socket, given nothing');
}

/**
 * The embedded lab takes a while to start: a key that is no key is told before that.
 * @throws Fault BAD_KEY, BAD_OPTION
 */
export function refuseBadKey({ lab, sshKeyPath, sshPassphrase, overrides }: Request): void {
  if (lab.kind !== 'embedded' || sshKeyPath === null) return;
  const file = overrides.get('ssh.passphrase_file');
  const passphrase = file === undefined ? null : readSecretFile(file.from, 'the passphrase', file.text);
  loadPrivateKey(CALLERS_KEY, sshKeyPath, sshPassphrase ?? passphrase);
}
