/**
 * Decides whether QEMU may use KVM. `/dev/kvm` alone proves nothing: it can be there and useless, and
 * then guests end in "KVM internal error" while QEMU stays alive; `-accel kvm -accel tcg` does not
 * fall back either. So the processor must show the feature too, and the device must be writable.
 */
import { accessSync, constants, readFileSync } from 'node:fs';

export interface Accelerator {
  readonly name: 'kvm' | 'tcg';
  /** One sentence, for the person who wonders why it is slow. */
  readonly why: string;
}

/** What the decision rests on; injected by tests. */
export interface AcceleratorEvidence {
  /** Text of `/proc/cpuinfo`; empty where it cannot be read. */
  readonly cpuinfo: string;
  /** Whether `/dev/kvm` can be opened for writing; else why not, as the system says it. */
  readonly kvmDevice: 'writable' | { readonly refused: string };
}

/** Chooses from evidence; reads nothing. */
export function chooseAccelerator(evidence: AcceleratorEvidence): Accelerator {
  // A whole word of the flags line: "vmx flags" is another line, and "svm_lock" another flag.
  const feature = /^flags\s*:(?:.*[ \t])?(vmx|svm)(?:\s|$)/m.exec(evidence.cpuinfo)?.[1];
  if (feature === undefined) {
    return { name: 'tcg', why: 'Guests run without KVM (TCG, slower): /proc/cpuinfo shows neither vmx nor svm.' };
  }
  if (evidence.kvmDevice !== 'writable') {
    const why = `Guests run without KVM (TCG, slower): /dev/kvm is not writable (${evidence.kvmDevice.refused}).`;
    return { name: 'tcg', why };
  }
  return { name: 'kvm', why: `Guests run with KVM: the processor shows ${feature} and /dev/kvm is writable.` };
}

/** Looks at this machine. */
export function acceleratorEvidence(): AcceleratorEvidence {
  return { cpuinfo: readCpuinfo(), kvmDevice: probeKvmDevice() };
}

function readCpuinfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return ''; // Not readable: no proof that KVM would work, which is what the text is read for.
  }
}

function probeKvmDevice(): AcceleratorEvidence['kvmDevice'] {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return 'writable';
  } catch (error) {
    return { refused: error instanceof Error && 'code' in error ? String(error.code) : String(error) };
  }
}
