/**
 * The table of faults: what can stop a case, whose fault that is, whether a retry can heal it, and
 * what the person who must act should do. Codes are stable; messages may change.
 */
import { type FaultRow, row } from './fault-row.ts';

/** code → whose fault, retriable, remedy. Each code is provoked by a test. */
export const FAULTS = {
  // The caller: found before anything is provisioned. Exit 2.
  BAD_OPTION: row('caller', false, 'Run with --help for the options and their forms.'),
  BAD_ENVIRONMENT: row('caller', false, 'Unset the variable or correct its value; --help lists those that are known.'),
  BAD_LAB_FILE: row('caller', false, 'Correct the line that is named.'),
  BAD_PLAN: row('caller', false, 'Correct the line that is named; see it with --list.'),
  LAB_NOT_NAMED: row('caller', false, 'Name the lab: --lab embedded, or --lab with a lab file.'),
  LAB_UNSUPPORTED: row('caller', false, 'Name a lab file of a real Xen Orchestra, or run the embedded lab on Linux.'),
  BAD_URL: row('caller', false, 'Give the URL of Xen Orchestra as http(s)://host[:port].'),
  BAD_IMAGE: row(
    'caller',
    false,
    'Give a disk image (raw, VHD or qcow2, also compressed by gzip, xz or zstd) that was built for this phase.',
  ),
  BAD_KEY: row(
    'caller',
    false,
    'Give the private key (not the .pub file), without a passphrase or with the right one.',
  ),
  BAD_WORKDIR: row('caller', false, 'Give a folder with room that exists and can be written to as --workdir-root.'),
  BAD_STORED_RUN: row(
    'caller',
    false,
    'Give the workdir of a run that has ended, its result.json or metadata.txt, or a pack of it (npm run pack).',
  ),
  NOT_THE_SAME: row('caller', false, 'Run again with --force if that is good enough, or bring back what differs.'),
  PROGRAM_MISSING: row(
    'caller',
    false,
    'Install the program that is named (./setup.sh brings it) or see what ended it, or give the image uncompressed.',
  ),
  BAD_PLACEMENT: row(
    'caller',
    false,
    'Name the template, SR or network of the lab file so that exactly one object of the pool matches.',
  ),
  BAD_FIXED_VM: row(
    'caller',
    false,
    'Correct [fixed] of the lab file, or the VM: nothing was touched. docs/lab-setup.md says what it must look like.',
  ),
  // The image: shown by evidence. Exit 1.
  CHECKS_FAILED: row(
    'image',
    false,
    'See the checks that are not ok; each names what was expected and what was there.',
  ),
  GUEST_PANICKED: row(
    'image',
    false,
    'Read the end of the console text in the workdir; boot the same image in --lab embedded to see it again.',
  ),
  GUEST_SILENT: row(
    'image',
    false,
    'The control image answered in the same place: look at the console text, then at network and sshd of the image.',
  ),
  // The lab: says nothing about the image. Exit 3.
  EMBEDDED_LAB_FAILED: row('lab', false, "Read the lab's own message; run ./setup.sh, then `npm run lab` alone."),
  XO_UNREACHABLE: row('lab', true, 'Check that Xen Orchestra is up and that this machine reaches its URL.'),
  XO_SIGN_IN_REFUSED: row(
    'lab',
    false,
    'Make a new token in Xen Orchestra and put it into the token file or BOOTWITNESS_XO_TOKEN.',
  ),
  XO_CERTIFICATE_UNTRUSTED: row(
    'lab',
    false,
    "Name XO's CA (xo.ca_file), or pin its certificate (xo.fingerprint) if the SHA-256 shown is the one that " +
      '`openssl x509 -fingerprint -sha256` prints on the appliance; xo.insecure takes any.',
  ),
  XO_CERTIFICATE_CHANGED: row(
    'lab',
    false,
    'Somebody else answers at the URL, or the certificate was renewed: compare on the appliance, then pin the new one.',
  ),
  XO_TOKEN_EXPIRED: row(
    'lab',
    false,
    'The token ended during the run: make one that lives longer than a run. What stayed is removed by `npm run sweep`.',
  ),
  XO_ERROR_HIDDEN: row(
    'lab',
    false,
    "Xen Orchestra shows the cause to administrators only: read its log, or run once with an administrator's token.",
  ),
  XO_SESSION_LOST: row('lab', true, 'Check that Xen Orchestra stays up and that no proxy closes its WebSocket.'),
  XO_CALL_TIMEOUT: row('lab', true, 'Xen Orchestra took the call and did not answer: look at its tasks and its log.'),
  XO_CALL_FAILED: row(
    'lab',
    false,
    "Look at the error and at Xen Orchestra's log; without administrator rights XO hides the cause.",
  ),
  XO_PERMISSION: row('lab', false, "Give the token's user the right that is named (known to work: admin on the pool)."),
  XO_OBJECT_MALFORMED: row('lab', false, 'Xen Orchestra sent an object that we cannot read: report its version to us.'),
  XO_OBJECT_LATE: row(
    'lab',
    true,
    'Xen Orchestra said yes, but its objects do not show it: look whether it still follows the pool.',
  ),
  CONSOLE_CLOSED: row(
    'lab',
    true,
    'Look at the VM in the web interface of Xen Orchestra: it has to run, and its console to show there for this user.',
  ),
  UPLOAD_INTERRUPTED: row('lab', true, 'Look at the network between here and Xen Orchestra and at its log.'),
  UPLOAD_REFUSED: row('lab', false, 'Read the error; look at free space and state of the SR.'),
  READ_BACK_DIFFERS: row('lab', false, 'The disk in the lab is not the one that was sent: check the SR.'),
  SR_UNUSABLE: row('lab', false, 'End the maintenance mode of the SR or plug its PBDs, or name another SR.'),
  SR_FULL: row('lab', false, 'Free space on the SR (delete what is not needed, rescan it), or name another SR.'),
  HOST_UNUSABLE: row(
    'lab',
    false,
    'Enable or start the host, plug the PBD of its SR, or name another host, or none for any.',
  ),
  WRONG_HOST: row(
    'lab',
    false,
    'The pool ran the VM on another host than the one that was ordered: look at load balancing and affinity rules.',
  ),
  NO_HOST_AVAILABLE: row('lab', false, 'Free memory on the hosts, or order a smaller guest (memory_mib).'),
  VM_START_REFUSED: row('lab', false, 'Read the error of the pool; start a VM by hand on the same host and SR.'),
  VM_LOST: row('lab', false, 'Somebody or something removed the VM, or Xen Orchestra lost its pool: look at its log.'),
  VM_LOCKED: row(
    'lab',
    false,
    'Another run has the VM: wait for it (--lock-wait SECONDS). The lock of a run that was killed expires by itself.',
  ),
  FIXED_VM_CHANGED: row(
    'lab',
    false,
    'Somebody else used the fixed VM or its disk during the run: leave both to the runs, then run again.',
  ),
  VM_STUCK: row('lab', false, 'Look at the VM and its tasks in Xen Orchestra, and at the host: it does not stop.'),
  ADDRESS_SOURCE_FAILED: row(
    'lab',
    false,
    'Run by hand what addresses.command or addresses.neighbours of the lab file runs, and look why it fails.',
  ),
  ADDRESS_CONFLICT: row(
    'lab',
    false,
    'Two sources name different addresses for one guest: correct the slot in the lab file.',
  ),
  NO_FREE_SLOT: row('lab', true, 'All slots of the lab file are in use: add slots or wait.'),
  NO_FREE_TICKET: row('lab', true, 'Others have all places of max_guests: wait longer (--ticket-wait), or allow more.'),
  WRONG_GUEST: row('lab', false, 'Another machine answered at the address: look for a duplicate address or MAC.'),
  CONTROL_SILENT: row('lab', false, 'The control image was silent too: look at network, host and console of the lab.'),
  JUMP_UNREACHABLE: row('lab', true, 'Look whether the jump host runs, and whether its sshd can be reached from here.'),
  JUMP_KEY_REFUSED: row('lab', false, 'Give the jump host the public half of the key, or name another ssh.jump.key.'),
  JUMP_HOST_KEY: row('lab', false, 'Compare ssh.jump.host_key with what ssh-keygen -l prints on the jump host itself.'),
  JUMP_FORBIDS_FORWARD: row('lab', false, 'Set AllowTcpForwarding yes in sshd_config of the jump host, for that user.'),
  // The machine that runs the harness. Exit 3.
  OUTPUT_UNWRITABLE: row('machine', false, 'Make room where the workdirs are, and leave them alone during a run.'),
  MACHINE_EXHAUSTED: row('machine', true, 'Raise the limit (EMFILE: ulimit -n), or end what fills this machine.'),
  // Undetermined: the evidence does not say who. Exit 3.
  PROBE_UNOBSERVED: row(
    'undetermined',
    false,
    'See the checks that were unobserved: each names what could not be seen and why.',
  ),
  IMAGE_UNPROVEN: row(
    'undetermined',
    false,
    'Give the image a GPT and name its closure (--expect-closure), or leave reading back on.',
  ),
  SSH_UNREACHABLE: row(
    'undetermined',
    false,
    'Look whether the machine is up, whether its sshd listens there, and whether it can be reached from here.',
  ),
  SSH_HOST_KEY: row(
    'undetermined',
    false,
    "Another machine answers there, or its key was made anew: compare with ssh-keygen -l on the machine's own console.",
  ),
  SSH_KEY_REFUSED: row('undetermined', false, 'Check that the public half of this key is in the image, for this user.'),
  SSH_COMMAND_FAILED: row(
    'undetermined',
    false,
    'Log in by hand as that user: /bin/sh must run, and ssh.become (su, doas, sudo) must need no password.',
  ),
  SSH_NO_AGREEMENT: row(
    'undetermined',
    false,
    'Allow sshd of the image a key exchange, host key and cipher that the library ssh2 knows, beside its own.',
  ),
  SSH_LOST: row(
    'undetermined',
    false,
    'The connection ended in the middle: look at the console text for a reboot or a crash.',
  ),
  GUEST_REBOOTED: row(
    'undetermined',
    false,
    'The guest was booted anew in the middle: look at the console text for a crash, and whether somebody reset the VM.',
  ),
  NOT_REBOOTED: row(
    'undetermined',
    false,
    'It was asked to reboot and shows the old boot: try the command of the scenario by hand, and look at the console.',
  ),
  GUEST_HALTED: row(
    'undetermined',
    false,
    'The guest was powered off in the middle: look at the console text, and whether somebody stopped the VM.',
  ),
  ADDRESS_UNKNOWN: row(
    'undetermined',
    false,
    'Give the lab a source of addresses (a slot for the MAC), or a control image: the guest may have got no address.',
  ),
  CONSOLE_FAULT: row('undetermined', false, 'All checks held, and yet: look at pictures and text in console/.'),
  SILENT_NO_CONTROL: row(
    'undetermined',
    false,
    'Name a control image in the lab file, so that silence can be decided.',
  ),
  SILENT_ONCE: row(
    'undetermined',
    false,
    'The image was silent once and answered the second time: run again and watch the console.',
  ),
  OUT_OF_TIME: row(
    'undetermined',
    false,
    'See which stage took the time (timeline in result.json) and what was seen last; --budget-scale gives more.',
  ),
  KEPT_UNDECIDED: row(
    'undetermined',
    false,
    'The silent guest was kept as it is: look at its console; run without --keep to have decided whose fault it is.',
  ),
  STOPPED_AT: row('nobody', false, 'It was stopped where --stop-at says: look at the machine, then remove it.'),
  INTERRUPTED: row('nobody', false, 'Run again when it suits.'),
  HARNESS_BUG: row('harness', false, 'This is our bug: send us log.ndjson and evidence.ndjson of the workdir.'),
} as const satisfies Record<string, FaultRow>;

export type FaultCode = keyof typeof FAULTS;
