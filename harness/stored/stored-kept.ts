/** What a stored run says of the guest that it kept (`kept` of its `result.json`), checked. Pure. */

import type { SshTable } from '../options/lab-tables.ts';
import type { KeptReport } from '../report/command-lines.ts';
import { type JsonReader, number, text } from './json-reader.ts';

/** @throws Fault BAD_STORED_RUN */
export function kept(read: JsonReader): KeptReport {
  const commands = read.object('commands');
  return {
    ...{ vm: read.text('vm'), name: read.text('name'), until: read.text('until') },
    afterwards: read.oneOf('afterwards', ['deleted', 'left'] as const),
    address: read.orNull('address', () => {
      const address = read.object('address');
      return { host: address.text('host'), port: address.number('port') };
    }),
    labFile: read.orNull('labFile', text),
    hostKey: read.orNull('hostKey', text),
    ssh: ssh(read.object('ssh')),
    commands: {
      ...{ shell: commands.text('shell'), console: commands.text('console') },
      ...{ ssh: commands.orNull('ssh', text), remove: commands.text('remove') },
    },
  };
}

function ssh(read: JsonReader): SshTable {
  const jump = (each: JsonReader): SshTable['jump'] => ({
    ...{ host: each.text('host'), port: each.number('port'), user: each.text('user') },
    ...{ key: each.orNull('key', text), hostKey: each.orNull('hostKey', text) },
  });
  return {
    ...{ user: read.text('user'), port: read.number('port'), key: read.orNull('key', text) },
    ...{ passphraseFile: read.orNull('passphraseFile', text), agent: read.orNull('agent', text) },
    become: read.orNull('become', () => read.oneOf('become', ['su', 'doas', 'sudo'] as const)),
    keepaliveS: read.orNull('keepaliveS', number) ?? 5,
    jump: read.orNull('jump', () => jump(read.object('jump'))),
  };
}
