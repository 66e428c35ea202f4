/**
 * "The guest did not answer" is decided by procedure, not by opinion (design §3): the console, then
 * the control image, then the image once more. The path taken goes into the evidence.
 */

import { Disposals } from '../disposals.ts';
import { Fault, faultRecord } from '../faults/faults.ts';
import { confirmMachine } from '../guest/identify.ts';
import type { Case } from '../model.ts';
import type { Silence } from './arrival.ts';
import { type Booted, type BootOrder, boot, dispose, type World } from './boot.ts';
import { reboot } from './reboot.ts';

/** How guests that the procedure has done with are taken back. */
export interface TakingBack {
  /** The silent guest, so that the control finds the same free lab. */
  first(): Promise<void>;
  /** Takes what of others stayed in the lab, a line each. */
  readonly stayed: string[];
}

/**
 * Who is to blame for a silent image. Returns the Fault: the caller throws it.
 * @throws Fault of the lab that ends the procedure before its conclusion; the path until then is in the evidence, too
 * @param nth the boot that was silent: whoever is compared with it is booted as often.
 */
export async function decideSilence(
  world: World,
  theCase: Case,
  silence: Silence,
  takingBack: TakingBack,
  nth = 1,
): Promise<Fault> {
  const after = nth > 1 ? ` after a reboot (boot ${nth})` : '';
  const path = new Path(world, `image silent${after}: ${sentence(silence)}`);
  const conclude = (fault: Fault): Fault => {
    path.end(`concluded ${fault.code}`);
    return fault;
  };
  const asked = (order: Asked): Promise<Heard | Fault> =>
    unlessUndetermined(ask(world, theCase, order, nth, takingBack.stayed)).catch((error: unknown) => {
      path.end(`stopped by ${faultRecord(error).code}`);
      throw error;
    });
  if (silence.fatal?.proves === 'image') {
    return conclude(
      new Fault(
        'GUEST_PANICKED',
        `the guest stopped while booting: "${silence.fatal.line}" (${silence.fatal.name}), no SSH answer later`,
      ),
    );
  }
  if (world.control === null) {
    path.push('no control');
    return conclude(withoutControl(silence));
  }
  if (world.keep !== null) {
    path.push('kept, and nothing was compared');
    return conclude(keptUndecided(silence));
  }
  await takingBack.first();
  const { image, login } = world.control;
  const control = await asked({ purpose: 'control', image, login });
  if (control instanceof Fault) {
    path.push(`control could not be asked: ${control.code}: ${control.message}`);
    return conclude(controlNotAsked(silence, control));
  }
  path.push(`control ${control.said}`);
  if (control.said !== ANSWERED) {
    const seen = `image and control image are both silent; image: ${sentence(silence)}; control: ${control.said}`;
    return conclude(unheard(seen, silence, control) ?? new Fault('CONTROL_SILENT', seen));
  }
  const again = await asked({ purpose: 'image', image: theCase.image, login: world.login });
  if (again instanceof Fault) {
    path.push(`image again spoke: ${again.code}: ${again.message}`);
    const seen = `the guest was silent once (${sentence(silence)}), then spoke when booted again`;
    return conclude(new Fault('SILENT_ONCE', `${seen}: ${again.message}`, { cause: again }));
  }
  path.push(`image again ${again.said}`);
  if (again.said === ANSWERED) {
    return conclude(
      new Fault('SILENT_ONCE', `the guest was silent once (${sentence(silence)}), then answered when booted again`),
    );
  }
  const seen =
    `the guest did not answer twice (${sentence(silence)}; again: ${again.said}) ` +
    'while the control image answered in between';
  return conclude(unheard(seen, silence, again) ?? new Fault('GUEST_SILENT', seen));
}

/** Who stood still while it waited has heard nothing, whatever was said; null: it listened. */
function unheard(seen: string, ...waits: readonly Pick<Silence, 'stoodMs'>[]): Fault | null {
  const stoodMs = Math.max(...waits.map((each) => each.stoodMs ?? 0));
  if (stoodMs === 0) return null;
  const seconds = (stoodMs / 1000).toFixed(0);
  return new Fault('MACHINE_EXHAUSTED', `${seen}; but this machine stood still for ${seconds} s of one of these waits`);
}

function controlNotAsked(silence: Silence, cause: Fault): Fault {
  const seen = `the guest did not answer (${sentence(silence)}), and the control image could not be asked`;
  return new Fault('SILENT_NO_CONTROL', `${seen}: ${cause.message}`, { cause });
}

function keptUndecided(silence: Silence): Fault {
  const seen = `the guest did not answer (${sentence(silence)})`;
  return new Fault('KEPT_UNDECIDED', `${seen} and is kept, so that no control image was asked`);
}

function withoutControl(silence: Silence): Fault {
  // Whether the image got none or nobody here can know it, only a control could tell.
  if (!silence.addressed) return new Fault('ADDRESS_UNKNOWN', silence.lastSeen);
  const seen = `the guest did not answer (${sentence(silence)})`;
  return new Fault('SILENT_NO_CONTROL', `${seen} and no control image is configured`);
}

const ANSWERED = 'answered';
/** What came of a boot, and for how long nobody here could have noticed. */
interface Heard extends Pick<Silence, 'stoodMs'> {
  readonly said: string;
}
type Asked = Omit<BootOrder, 'readBack' | 'disposals'>;

/** The steps that were taken, one sentence each; written down with the last one. */
class Path {
  readonly #steps: string[];
  readonly #world: Pick<World, 'evidence'>;
  constructor(world: Pick<World, 'evidence'>, first: string) {
    this.#world = world;
    this.#steps = [first];
  }
  push(step: string): void {
    this.#steps.push(step);
  }
  end(step: string): void {
    this.push(step);
    this.#world.evidence.record('silence', 'procedure', { path: this.#steps });
  }
}

/** A guest that speaks and cannot be asked (its key is refused, say) was not silent; the lab's faults are thrown on. */
async function unlessUndetermined(asking: Promise<Heard>): Promise<Heard | Fault> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof Fault && error.party === 'undetermined' && error.code !== 'OUT_OF_TIME') return error;
    throw error;
  }
}

/**
 * Boots once more, as often as the guest that was silent, and says how it went; the guest is taken back before this
 * returns.
 */
async function ask(world: World, theCase: Case, order: Asked, boots: number, stayed: string[]): Promise<Heard> {
  const disposals = new Disposals(world.journal);
  let console: Booted['console'] | null = null;
  try {
    const booted = await boot(world, theCase, { ...order, readBack: false, disposals });
    ({ console } = booted);
    if (booted.arrival.state === 'silent') return heard(booted.arrival.silence);
    let { session } = booted.arrival;
    try {
      let bootId = await confirmMachine(world, theCase, { ...booted, session });
      for (let nth = 2; nth <= boots; nth++) {
        const alive = { booted, session, login: order.login, bootId, guest: order.purpose };
        const next = await reboot(world, theCase, alive, nth);
        if (next.state === 'silent') return heard(next.silence, 'after a reboot: ');
        ({ session, bootId } = next);
      }
    } finally {
      session.close();
    }
    return { said: ANSWERED, stoodMs: null };
  } finally {
    try {
      await console?.end();
    } finally {
      // Whatever a full disk makes of the console: the guest is taken back.
      const left = await dispose(world, disposals, theCase.scenario.budgets);
      stayed.push(...left);
      if (left.length > 0) world.log.error({ left }, 'stayed after the silence procedure');
    }
    await console?.settled();
  }
}

const heard = (silence: Silence, before = ''): Heard => ({
  said: `${before}${sentence(silence)}`,
  stoodMs: silence.stoodMs,
});

function sentence(silence: Silence): string {
  const seconds = (silence.waitedMs / 1000).toFixed(0);
  const stopped = silence.halted
    ? 'the VM powered itself off'
    : silence.fatal
      ? `console: "${silence.fatal.line}"`
      : null;
  const time = silence.time === null ? '' : `; ${silence.time}`;
  return `${stopped ?? silence.lastSeen} after ${seconds} s and ${silence.attempts} attempts${time}`;
}
