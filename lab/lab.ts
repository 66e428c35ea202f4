/** A whole lab: guests, endpoint, token and lab file, in a folder of its own. */
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabArguments } from './arguments.ts';
import { openEndpoint } from './endpoint.ts';
import { labGuests } from './guests.ts';
import { labFileText } from './lab-file.ts';
import { takeSlots } from './slots.ts';
import { takeStateDir } from './state-dir.ts';

/** Where on its address a guest's SSH is reached. */
const SSH_PORT = 2222;
const TEMPLATE = 'Other install media';

export interface Lab {
  readonly url: string;
  readonly token: string;
  /** Of the only user, an administrator. */
  readonly login: { readonly email: string; readonly password: string };
  readonly tokenFile: string;
  readonly labFile: string;
  /** Is there no VM and no disk of anybody in it? */
  isEmpty(): boolean;
}

export interface StartingLab {
  /** Rejects with FolderMisuse or Error; then nothing of it stays. */
  readonly ready: Promise<Lab>;
  /** Ends everything that the lab has started and removes its folder; also while it is still starting. */
  close(): Promise<void>;
}

/** Undoes in reverse order, each step also where another fails. */
class Undo {
  readonly #steps: (() => Promise<unknown>)[] = [];
  #ended = false;
  add(step: () => Promise<unknown>): void {
    if (this.#ended) void step();
    else this.#steps.unshift(step);
  }
  async run(log: (line: string) => void): Promise<void> {
    this.#ended = true;
    for (const step of this.#steps.splice(0)) {
      await step().catch((error: unknown) => log(`while ending: ${String(error)}`));
    }
  }
}

async function build(wish: LabArguments, undo: Undo, log: (line: string) => void): Promise<Lab> {
  const dir = takeStateDir(wish.stateDir, log);
  undo.add(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
  const guests = await labGuests(wish, dir, SSH_PORT, log);
  const { slots, release } = await takeSlots(wish.slots, SSH_PORT);
  undo.add(release);
  const login = { email: 'admin', password: randomBytes(18).toString('base64url') };
  const endpoint = await openEndpoint({
    backend: guests.backend,
    dir,
    users: [{ ...login, permission: 'admin', poolAdmin: false }],
    hostMemoryBytes: guests.hostMemoryBytes,
    ...(guests.hostUsedBytes === undefined ? {} : { hostUsedBytes: guests.hostUsedBytes }),
    addresses: new Map(slots.map(({ mac, address }) => [mac, address])),
    mishaps: wish.mishaps,
    log,
  });
  undo.add(() => endpoint.close());
  const [admin] = endpoint.users;
  if (!admin) throw new Error('the lab has no administrator');
  const token = endpoint.world.accounts.createToken(admin, { description: 'lab file' });
  const [tokenFile, labFile] = [join(dir, 'token'), join(dir, 'lab.toml')];
  await writeFile(tokenFile, token, { mode: 0o600 });
  const { inventory } = endpoint.world;
  const text = labFileText({
    budgetScale: guests.budgetScale,
    url: endpoint.url,
    tokenFile,
    template: TEMPLATE,
    sr: inventory.sr.uuid,
    network: inventory.network.uuid,
    sshPort: SSH_PORT,
    sshKey: guests.keyPath,
    slots,
    images: guests.images,
  });
  await writeFile(labFile, text);
  const isEmpty = (): boolean =>
    inventory.vdis.size === 0 && [...inventory.vms.values()].every(({ kind }) => kind === 'template');
  return { url: endpoint.url, token, login, tokenFile, labFile, isEmpty };
}

export function startLab(wish: LabArguments, log: (line: string) => void): StartingLab {
  const undo = new Undo();
  const ready = build(wish, undo, log).catch(async (error: unknown) => {
    await undo.run(log);
    throw error;
  });
  return { ready, close: () => undo.run(log) };
}
