/** Writes the lab file: everything that a client needs in order to use this lab. */
import type { Slot } from './slots.ts';

export interface LabFile {
  readonly budgetScale: number;
  readonly url: string;
  readonly tokenFile: string;
  readonly template: string;
  readonly sr: string;
  readonly network: string;
  readonly sshPort: number;
  readonly sshKey: string;
  readonly slots: readonly Slot[];
  /** Image known to pass in this lab, by boot mode. */
  readonly images: Readonly<Record<string, string>>;
}

/** JSON's strings are strings of TOML, too. */
const quoted = (text: string): string => JSON.stringify(text);

function table(name: string, values: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(values).map(([key, value]) => {
    const bare = /^[\w-]+$/.test(key) ? key : quoted(key);
    return `${bare} = ${typeof value === 'number' ? value : quoted(value)}`;
  });
  return [name, ...lines, ''].join('\n');
}

/** The file's text. */
export function labFileText(lab: LabFile): string {
  return [
    table('# Written by the embedded lab; gone when it ends.', {
      name: 'embedded',
      kind: 'embedded',
      budget_scale: lab.budgetScale,
    }),
    table('[xo]', { url: lab.url, token_file: lab.tokenFile }),
    table('[placement]', {
      template: lab.template,
      sr: lab.sr,
      network: lab.network,
      memory_mib: 512,
      cpus: 1,
      firmware: 'bios',
    }),
    table('[ssh]', { user: 'root', port: lab.sshPort, key: lab.sshKey }),
    table('[console]', { serial_path: '/embedded/v0/vms/{id}/serial' }),
    ...lab.slots.map(({ mac, address }) => table('[[slots]]', { mac, address })),
    table('[control]', lab.images),
    table('[reference]', lab.images),
  ].join('\n');
}
