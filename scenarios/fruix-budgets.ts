/**
 * How long the stages of a Fruix guest may take, by boot mode and firmware, in seconds of a Xen or KVM host. A first
 * boot makes host keys and grows its file system. UEFI looks at its devices for some seconds more than a BIOS.
 */
import type { Budgets } from '../harness/budgets.ts';
import type { BootMode } from '../harness/model.ts';

const COMMON = {
  ...{ planS: 300, createS: 60, uploadS: 420, attachS: 120 },
  ...{ readyS: 30, probeS: 15, probesS: 180, rebootS: 120, disposeS: 180 },
} as const;

export const fruixBudgets: Readonly<Record<BootMode, Budgets>> = {
  // rc runs its scripts one after another; sshd comes late, and Shepherd after it.
  'freebsd-init+rc.d-shepherd': {
    ...COMMON,
    boot: {
      bios: { firmwareS: 10, kernelS: 15, servicesS: 25, sshS: 10 },
      uefi: { firmwareS: 20, kernelS: 15, servicesS: 25, sshS: 10 },
    },
  },
  // No rc: the launcher brings up the network alone, then Guile is loaded before any service starts.
  'shepherd-pid1': {
    ...COMMON,
    boot: {
      bios: { firmwareS: 10, kernelS: 15, servicesS: 25, sshS: 10 },
      uefi: { firmwareS: 20, kernelS: 15, servicesS: 25, sshS: 10 },
    },
  },
};
