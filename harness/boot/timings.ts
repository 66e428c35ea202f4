/** Seconds by the steps that people are told, which are coarser than the stages of the timeline. */

import type { Tell } from '../progress/event.ts';
import type { World } from './boot.ts';

/** Measures steps by listening to what is told. */
export class Timings {
  readonly seconds: Record<string, number> = {};
  readonly world: World;
  #step: string | null = null;
  #sinceMs = performance.now();
  constructor(world: World) {
    const tell: Tell = (happening) => {
      if (happening.event === 'step-begins') this.#begin(happening.step);
      world.tell(happening);
    };
    this.world = { ...world, tell };
  }
  #begin(step: string): void {
    this.end();
    this.#step = step;
    this.#sinceMs = performance.now();
  }
  end(): void {
    if (this.#step === null) return;
    const key = this.#step.replace(/\W+/g, '_');
    const took = (performance.now() - this.#sinceMs) / 1000;
    this.seconds[key] = Math.round(((this.seconds[key] ?? 0) + took) * 1000) / 1000;
    this.#step = null;
  }
}
