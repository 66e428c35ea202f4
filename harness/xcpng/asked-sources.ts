/** The sources of the lab file beside XO itself, asked for one guest, again and again until somebody knows. */
import { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { AddressSource } from '../lab.ts';
import type { Saying } from './address.ts';

const AGAIN_MS = 2_000;
/** One source, once; it has its own, shorter bounds. */
const ASK_MS = 15_000;

export class AskedSources {
  readonly #sources: readonly AddressSource[];
  readonly #macs: readonly string[];
  readonly #said = new Map<string, Saying>();

  constructor(sources: readonly AddressSource[], macs: readonly string[]) {
    this.#sources = sources;
    this.#macs = macs;
  }

  /** What is known by now, in the order of the lab file. */
  get sayings(): readonly Saying[] {
    const unasked = (source: string): Saying => ({ source, addresses: [], failed: null });
    return this.#sources.map(({ name }) => this.#said.get(name) ?? unasked(name));
  }

  /** Why some could not be asked; empty: all could. */
  get failures(): readonly string[] {
    return this.sayings.flatMap(({ source, failed }) => (failed === null ? [] : [`${source}: ${failed}`]));
  }

  /** Asks all of them once. @throws the interrupt */
  async once(deadline: Deadline): Promise<void> {
    await Promise.all(this.#sources.map((source) => this.#ask(source, deadline)));
    deadline.check();
  }

  /** Asks all of them until `stop`. Never throws. */
  async again(deadline: Deadline, stop: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([deadline.signal, stop]);
    const limit = Deadline.after(deadline.remainingMs(), signal, deadline.clock);
    const asking = this.#sources.map(async (source) => {
      while (!signal.aborted && !limit.expired()) {
        await this.#ask(source, limit);
        await limit.clock.sleep(AGAIN_MS, signal);
      }
    });
    await Promise.all(asking);
  }

  async #ask(source: AddressSource, deadline: Deadline): Promise<void> {
    const { name } = source;
    try {
      const addresses = await source.find(this.#macs, deadline.within(ASK_MS));
      this.#said.set(name, { source: name, addresses, failed: null });
    } catch (error) {
      if (deadline.signal.aborted) return; // nobody wants the answer any more
      if (!(error instanceof Fault)) throw error;
      // What it said before is still the best that is known of it.
      this.#said.set(name, { source: name, addresses: this.#said.get(name)?.addresses ?? [], failed: error.message });
    }
  }
}
