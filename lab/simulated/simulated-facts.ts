/**
 * What a simulated guest knows of itself: the facts of a healthy guest from `healthy.json`, and those
 * that only this VM can have (its UUID, MACs, uptime, disk), by the name of the probe that asks.
 */
import type { BackendVm } from '../backend.ts';
import { octalDump } from './disk-head.ts';
import type { BootMode } from './guest-answers.ts';
import healthy from './healthy.json' with { type: 'json' };

export type Facts = Readonly<Record<string, string>>;

/** One boot of one simulated guest. */
export interface SimulatedBoot {
  readonly vm: BackendVm;
  readonly mode: BootMode;
  readonly closure: string;
  /** Head of the first disk; null: the VM has none. */
  readonly diskHead: Buffer | null;
  /** Fresh for each boot. */
  readonly bootId: string;
  /** Of `Date.now()`. */
  readonly bootedAtMs: number;
}

/** Facts of a healthy guest; null: no such probe is known here. Times are of the present moment. */
export function simulatedFacts(probe: string, boot: SimulatedBoot, nowMs: number): Facts | null {
  if (probe === 'guest-identity') return machineFacts(boot, nowMs);
  if (probe === 'image-identity') return imageFacts(boot);
  if (probe === 'power-off') return { power_off: 'asked' };
  if (probe === 'ready-marker-removal') return { marker: 'absent' };
  if (probe === 'reboot') return { reboot: 'asked' };
  const recorded: Readonly<Record<string, Facts>> = healthy.modes[boot.mode];
  const same: Readonly<Record<string, string>> = healthy.same;
  const facts = recorded[same[probe] ?? probe];
  if (facts === undefined) return null;
  const bootS = Math.floor(boot.bootedAtMs / 1000);
  const fill: Readonly<Record<string, string>> = {
    closure: boot.closure,
    boot: String(bootS),
    ready: String(bootS),
    now: String(Math.floor(nowMs / 1000)),
  };
  const filled = (text: string): string => text.replaceAll(/\{\{(\w+)\}\}/g, (whole, key) => fill[key] ?? whole);
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, filled(value)]));
}

function machineFacts({ vm, bootId, bootedAtMs }: SimulatedBoot, nowMs: number): Facts {
  return {
    'uuid.dmi': vm.uuid,
    'uuid.xen': '',
    macs: [...vm.nics.map((nic) => nic.mac), '00:00:00:00:00:00'].map((mac) => ` ${mac}`).join(''),
    uptime: (Math.max(0, nowMs - bootedAtMs) / 1000).toFixed(2),
    boot_id: bootId,
  };
}

function imageFacts({ diskHead }: SimulatedBoot): Facts {
  if (diskHead === null) return { device: '', disk: '' };
  return { device: '/dev/vda2', disk: 'vda', 'gpt.vda': octalDump(diskHead) };
}
