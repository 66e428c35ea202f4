/** Commands for people to copy: what runs this again, what removes what it left. */

import type { KeptGuest } from '../keep/keep.ts';
import type { Request } from '../options/config.ts';
import type { SshTable } from '../options/lab-tables.ts';

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const variablesOf = ({ variables }: Request): readonly string[] =>
  Object.entries(variables)
    .filter(([name]) => name !== 'BOOTWITNESS_NIGHT')
    .map(([name, text]) => `${name}=${shellWord(text)}`);

/** What is run again is no part of that night. */
const withoutNight = (args: readonly string[]): readonly string[] =>
  args.filter((arg, index) => !/^--night(=|$)/.test(arg) && args[index - 1] !== '--night');

/** @param command how the user called it, e.g. `npm run -s phase9 --` */
export const repeatLine = (request: Request, command: string, args: readonly string[]): string =>
  [...variablesOf(request), command, ...withoutNight(args).map(shellWord)].join(' ');

export function sweepLine(request: Request, runId: string): string {
  if (request.lab.kind === 'embedded') return 'the embedded lab ends with it';
  return removalLine(request, runId, null);
}

/**
 * What removes a guest that was kept.
 * @param embeddedLabFile of the embedded lab that was left alive for it; null: any other lab
 */
export function removalLine(request: Request, runId: string, embeddedLabFile: string | null): string {
  if (embeddedLabFile !== null) return `npm run -s sweep -- --lab ${shellWord(embeddedLabFile)} --run-id ${runId}`;
  const flags = request.labArguments.map(shellWord);
  return [...variablesOf(request), 'npm run -s sweep --', ...flags, '--run-id', runId].join(' ');
}

/** What a person types to get in, without pinning the host key: `npm run shell` does that. */
export function sshLine({ host, port }: NonNullable<KeptGuest['address']>, ssh: SshTable): string {
  const options = ['-o', 'UserKnownHostsFile=/dev/null', '-o', 'StrictHostKeyChecking=no', '-p', String(port)];
  if (ssh.key !== null) options.push('-i', shellWord(ssh.key));
  if (ssh.jump !== null) options.push('-J', `${ssh.jump.user}@${ssh.jump.host}:${ssh.jump.port}`);
  return ['ssh', ...options, `${ssh.user}@${host}`].join(' ');
}

/** What is told and stored of a guest that was kept. */
export interface KeptReport extends KeptGuest {
  /** Absolute; null: the lab was given by options alone. */
  readonly labFile: string | null;
  readonly ssh: SshTable;
  /** `SHA256:…`, as it was seen in the run; null: nobody came so far. */
  readonly hostKey: string | null;
  readonly commands: {
    readonly shell: string;
    readonly console: string;
    /** Null: it has no address that is known. */
    readonly ssh: string | null;
    readonly remove: string;
  };
}

export interface KeptWhere {
  readonly request: Request;
  readonly runId: string;
  readonly workdir: string;
  readonly ssh: SshTable;
  readonly hostKey: string | null;
  /** Of the embedded lab that was left alive for it; null: any other lab. */
  readonly embeddedLabFile: string | null;
}

/** How a kept guest is looked at and removed. */
export function keptReport(kept: KeptGuest, where: KeptWhere): KeptReport {
  const { request, runId, workdir, ssh, hostKey, embeddedLabFile } = where;
  const of = (command: string): string => `npm run -s ${command} -- ${shellWord(workdir)}`;
  return {
    ...kept,
    ...{ ssh, hostKey, labFile: embeddedLabFile ?? (request.lab.kind === 'file' ? request.lab.path : null) },
    commands: {
      ...{ shell: of('shell'), console: of('console') },
      ssh: kept.address && sshLine(kept.address, ssh),
      remove: removalLine(request, runId, embeddedLabFile),
    },
  };
}
