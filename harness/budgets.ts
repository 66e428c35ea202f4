/**
 * How long the stages of a case may take, and how they went. Deadlines are sums of stages, so that a stage may borrow
 * from the next; each stage alone is only told where it takes long.
 */
import type { Firmware } from './model.ts';

/** How long the stages of a boot may take. Only their sum is a deadline: a stage may borrow from the next. */
export interface BootBudgets {
  /** From the power-on call to the kernel. */
  readonly firmwareS: number;
  /** From the kernel to the first process. */
  readonly kernelS: number;
  /** From there to sshd's banner. */
  readonly servicesS: number;
  /** From the banner to an authenticated session. */
  readonly sshS: number;
}

/**
 * Budgets of a scenario (and so of its boot mode), in seconds of a Xen or KVM host. A lab multiplies them by its
 * `budget_scale` (6 under TCG); nothing ever adjusts them by itself.
 */
export interface Budgets {
  /** Reading the images, before anything is made. Only told where it takes longer: a large image is no fault. */
  readonly planS: number;
  /** Making the VM; with the next two one deadline. */
  readonly createS: number;
  /** The image on its way to the lab, until its last byte was sent. */
  readonly uploadS: number;
  /** From there to a disk that is the VM's; reading it back included. */
  readonly attachS: number;
  readonly boot: Readonly<Record<Firmware, BootBudgets>>;
  /** From the session to a ready marker that belongs to this boot. */
  readonly readyS: number;
  /** One probe, from its first byte sent to its last byte read. */
  readonly probeS: number;
  /** Identity and all probes of one boot, without the wait for the marker. */
  readonly probesS: number;
  /** From the request to reboot until the connection of the old boot has ended. */
  readonly rebootS: number;
  /** Clean-up; its own budget, never what is left of another one. */
  readonly disposeS: number;
}

/** One stage as it went. */
export interface StageRecord {
  /** `plan`, `upload`, `kernel` …; joined by `+` where nothing told one from the next. */
  readonly stage: string;
  /** Whose stage; null: of the case. */
  readonly guest: 'image' | 'control' | null;
  /** 1 for the first boot. */
  readonly boot: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly seconds: number;
  /** Scaled; null: it has none. */
  readonly budgetS: number | null;
  /** Seconds over budget; 1 is all of it. */
  readonly usedShare: number | null;
  /** What was seen that ended it. */
  readonly endedBy: string;
}

/** Making a guest: its disk and its VM. */
export const provisionS = ({ createS, uploadS, attachS }: Budgets): number => createS + uploadS + attachS;

/** From power-on to the first authenticated session. */
export function bootS({ boot }: Budgets, firmware: Firmware): number {
  const { firmwareS, kernelS, servicesS, sshS } = boot[firmware];
  return firmwareS + kernelS + servicesS + sshS;
}

/**
 * All that a case may take before its clean-up: each boot of the image with its probes, and where it is silent the same
 * way once for the control image and once more for itself, each taken back in between.
 */
export function caseS(budgets: Budgets, boots: number): number {
  const { rebootS, probesS, readyS, disposeS } = budgets;
  const longestBootS = Math.max(bootS(budgets, 'bios'), bootS(budgets, 'uefi'));
  const guest = provisionS(budgets) + boots * (longestBootS + rebootS);
  // The last two: the halt of an operator's VM, and a look at what became of a guest that was lost.
  return 3 * guest + boots * (probesS + readyS) + 3 * disposeS + longestBootS;
}
