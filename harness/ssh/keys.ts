/** Private keys and agents, looked at before anything is created: what cannot log in is the caller's fault. */
import { readFileSync } from 'node:fs';
import ssh2 from 'ssh2';
import { byDeadline, type Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { Secret } from '../workdir/secrets.ts';
import type { SshKey } from './login.ts';

type Parsed = { readonly key: ssh2.ParsedKey } | { readonly error: Error };

function parsed(text: Buffer, passphrase: string | null): Parsed {
  const found = ssh2.utils.parseKey(text, passphrase ?? undefined);
  const key = Array.isArray(found) ? found[0] : found;
  return key instanceof Error ? { error: key } : { key: key as ssh2.ParsedKey };
}

function read(from: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Fault('BAD_KEY', `${from}: expected a private key file, cannot read ${path}`, { cause });
  }
}

/** The library tells an encrypted key from a damaged one by its words only. */
const isLocked = (error: Error): boolean => /encrypted|passphrase/i.test(error.message);

/**
 * Reads a private key for authentication.
 * @param from option or key of the lab file, for messages
 * @throws Fault BAD_KEY for a public key, no key at all, an encrypted one without its passphrase
 */
export function loadPrivateKey(from: string, path: string, passphrase: Secret | null): SshKey {
  const text = read(from, path);
  const open = parsed(text, null);
  if ('key' in open) {
    if (!open.key.isPrivateKey()) {
      throw new Fault('BAD_KEY', `${from}: expected a private key, given a public key: ${path}`);
    }
    return { text, passphrase: null };
  }
  if (!isLocked(open.error)) {
    throw new Fault('BAD_KEY', `${from}: expected a private key, given ${path}: ${open.error.message}`);
  }
  if (passphrase === null) {
    const expected = 'a private key without passphrase, or its passphrase (--ssh-passphrase-file)';
    throw new Fault('BAD_KEY', `${from}: expected ${expected}, given ${path}: ${open.error.message}`);
  }
  const unlocked = parsed(text, passphrase.reveal());
  if ('key' in unlocked) return { text, passphrase: passphrase.reveal() };
  throw new Fault('BAD_KEY', `${from}: expected the passphrase of ${path}, given another one`);
}

/**
 * Looks whether an agent answers and holds a key.
 * @throws Fault BAD_KEY
 */
export async function checkAgent(from: string, socketPath: string, deadline: Deadline): Promise<void> {
  const expected = `${from}: expected an SSH agent that holds a key, given ${socketPath}`;
  const asked = new Promise<number>((resolve, reject) => {
    const agent = new ssh2.OpenSSHAgent(socketPath);
    agent.getIdentities((error, keys) => {
      if (error) reject(new Fault('BAD_KEY', `${expected}: ${error.message}`, { cause: error }));
      else resolve(keys?.length ?? 0);
    });
  });
  if ((await byDeadline(deadline, 'BAD_KEY', expected, asked)) > 0) return;
  throw new Fault('BAD_KEY', `${expected}, which holds none: add one with ssh-add`);
}
