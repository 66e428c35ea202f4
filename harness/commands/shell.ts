/** `npm run shell`: a person's shell in the guest that a run kept. */

import { EXIT } from '../../help/exits.ts';
import { Fault } from '../faults/faults.ts';
import { enter } from '../live/enter.ts';
import type { CommandWords } from '../options/command-help.ts';
import { SHELL_OPTIONS } from '../options/command-options.ts';
import { proofOf } from '../options/config.ts';
import { bad, path } from '../options/given.ts';
import type { GuestTables } from '../options/lab-tables.ts';
import { prepareLogins } from '../prepare/prepare-login.ts';
import { ownTerminal } from '../process/terminal.ts';
import type { KeptReport } from '../report/command-lines.ts';
import type { ShellEnd } from '../ssh/shell.ts';
import { readKeptGuest } from '../stored/kept-guest.ts';
import type { Call, Command } from './command.ts';

const HOST_KEY = /^SHA256:[A-Za-z0-9+/]{43}$/;
/** As shells say of a program that a signal ended: 128 and its number. */
const SIGNALS: Readonly<Record<string, number>> = { HUP: 1, INT: 2, QUIT: 3, ABRT: 6, KILL: 9, SEGV: 11, TERM: 15 };
const KILLED = 128;

/** `[ssh]` as it was in the run, with what is given now over it. */
function tablesOf({ ssh, name }: KeptReport, { given }: Call): GuestTables {
  return {
    ...{ path: 'the stored run', name, budgetScale: 1, paths: {} },
    ssh: {
      ...ssh,
      agent: given.value('ssh-agent')?.text ?? ssh.agent,
      passphraseFile: path(given.value('ssh-passphrase-file')) ?? ssh.passphraseFile,
    },
  };
}

/** @returns the exit code of the shell @throws Fault BAD_STORED_RUN, SSH_UNREACHABLE and so on, as `enter` */
async function run(call: Call): Promise<number> {
  const { given, environment, told, signal } = call;
  const kept = await readKeptGuest(given.operand().text);
  if (kept.address === null) {
    const look = `look at its console: ${kept.commands.console}`;
    throw new Fault('ADDRESS_UNKNOWN', `VM ${kept.vm} was kept before anybody knew its address; ${look}`);
  }
  const hostKey = given.value('host-key');
  if (hostKey !== null && !HOST_KEY.test(hostKey.text)) {
    throw bad(hostKey.from, 'SHA256: and 43 characters, as ssh-keygen -l prints it', JSON.stringify(hostKey.text));
  }
  const logins = prepareLogins(proofOf(given, environment), tablesOf(kept, call));
  const login = logins.login();
  await logins.check(signal);
  const door = { ...kept.address, hostKey: hostKey?.text ?? kept.hostKey };
  signal.addEventListener('abort', () => void logins.jump?.close(), { once: true });
  try {
    const session = await enter(door, login, { budgetScale: 1, signal });
    signal.addEventListener('abort', () => session.close(), { once: true });
    try {
      const end = await session.shell(ownTerminal(environment.TERM));
      signal.throwIfAborted();
      return codeOf(end, kept, told.note);
    } finally {
      session.close();
    }
  } finally {
    await logins.jump?.close();
  }
}

function codeOf(end: ShellEnd, { vm, commands }: KeptReport, tell: (line: string) => void): number {
  switch (end.state) {
    case 'exited':
      return end.code;
    case 'killed':
      return KILLED + (SIGNALS[end.signal.replace(/^SIG/, '')] ?? 0);
    case 'lost':
      tell(`the shell on VM ${vm} ended early: ${end.why}; its console: ${commands.console}`);
      return EXIT.lab;
  }
}

const WORDS: CommandWords = {
  ...{ name: 'shell', group: 'failure', page: 'README.md#from-a-failing-workdir-to-a-live-machine' },
  summary: 'opens a shell in a machine that a run kept',
  usage: ['WORKDIR [options]'],
  about: [
    'WORKDIR is that of a run which kept its machine (npm run -s phase9 -- --keep), or its ' +
      'metadata.txt or result.json. User, key, jump host and address are those of the run, and so is the host key: ' +
      'another machine at the address is refused. With a terminal here the guest makes one of the same size; without ' +
      'one (a pipe, a file) its shell reads what it is given, and errors stay apart from output.',
  ],
  examples: [
    { args: ['/tmp/phase9-xcpng-boot-1795390189'], does: 'a shell there, as the user of the run' },
    { args: ['/tmp/phase9-xcpng-boot-1795390189', '--ssh-agent', 'env'], does: 'with the key in your agent' },
  ],
  precedence: 'flags > environment > the run',
  stdout: 'what the shell prints.',
  exits: { fine: 'the shell ended with 0', lab: 'the machine could not be reached or entered, or was lost' },
  otherExits: "the shell's own, which may also be one of these; 128 and the signal's number where one ended it",
};

export const shell: Command = {
  ...{ options: SHELL_OPTIONS, operand: 'WORKDIR', help: WORDS, run },
  onInterrupt: 'the machine stays as it is',
};
