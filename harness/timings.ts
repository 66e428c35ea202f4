/** Seconds by what is told to people as a stage, which is coarser than the timeline. */
import type { World } from './boot.ts';

/** Measures stages by listening to what is told. */
export class Timings {
  readonly seconds: Record<string, number> = {};
  readonly world: World;
  #stage: string | null = null;
  #sinceMs = performance.now();
  constructor(world: World) {
    const stage = (name: string): void => {
      this.end();
      this.#stage = name;
      this.#sinceMs = performance.now();
      world.tell.stage(name);
    };
    this.world = { ...world, tell: { ...world.tell, stage } };
  }
  end(): void {
    if (this.#stage === null) return;
    const key = this.#stage.replace(/\W+/g, '_');
    const took = (performance.now() - this.#sinceMs) / 1000;
    this.seconds[key] = Math.round(((this.seconds[key] ?? 0) + took) * 1000) / 1000;
    this.#stage = null;
  }
}
