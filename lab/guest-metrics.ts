/** What a guest with tools reports of its address, as the lab was told: from its start on, step by step. */
import type { Inventory, VmRecord } from './inventory.ts';

/** `<address>[@<seconds after the start>]`, several by commas; `own` is what the guest really has. */
export const METRICS_PATTERN = /^[0-9a-z.:]+(@\d+(\.\d+)?)?(,[0-9a-z.:]+(@\d+(\.\d+)?)?)*$/;

const SECOND_MS = 1_000;

export class GuestMetrics {
  readonly #inventory: Inventory;
  readonly #timers = new Map<string, NodeJS.Timeout[]>();

  constructor(inventory: Inventory) {
    this.#inventory = inventory;
  }

  /** @param own the guest's address; null: it has none, and `own` reports nothing */
  begin(vm: VmRecord, steps: string, own: string | null): void {
    this.end(vm);
    const timers = steps.split(',').map((step) => {
      const [address = '', seconds = '0'] = step.split('@');
      const report = (): void => {
        vm.reportedAddress = address === 'own' ? own : address;
        this.#inventory.touch();
      };
      return setTimeout(report, Number(seconds) * SECOND_MS);
    });
    this.#timers.set(vm.uuid, timers);
  }

  end(vm: VmRecord): void {
    for (const timer of this.#timers.get(vm.uuid) ?? []) clearTimeout(timer);
    this.#timers.delete(vm.uuid);
    vm.reportedAddress = null;
  }
}
