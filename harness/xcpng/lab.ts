/** A Lab that speaks Xen Orchestra's API: a real one or the embedded one, told apart by nothing but the URL. */
import { Deadline } from '../deadline.ts';
import { Fault } from '../faults/faults.ts';
import type { Admission, DeadRun, Guest, GuestOrder, Lab, SweepLines } from '../lab.ts';
import type { PlannedImage } from '../model.ts';
import { keepFailed } from './cache/keep-failed.ts';
import { isKept } from './cache/keeper.ts';
import { listUnfinished } from './cache/listing.ts';
import { placementOf } from './cache/place.ts';
import { keptTag, OURS, runTag } from './claims.ts';
import { xoNowMs } from './endpoint.ts';
import { checkFixedPlace } from './fixed-place.ts';
import { describeListed, listTagged } from './listing.ts';
import { guestsInMemory } from './preflight.ts';
import { provision } from './provision.ts';
import { provisionFixed } from './provision-fixed.ts';
import { openSession, type Session } from './session.ts';
import type { XoLabSettings } from './settings.ts';
import { Slots } from './slots.ts';
import { sweep, sweepLines } from './sweep.ts';
import { takeTicket } from './ticket.ts';
import type { Pool } from './wire-pool.ts';

/** As many characters of it stand in the name of a guest. */
const RUN_ID_SHOWN = 8;

class XoLab implements Lab {
  readonly name: string;
  readonly xoVersion: string;
  readonly poolName: string;
  readonly #session: Session;
  readonly #settings: XoLabSettings;
  readonly #slots: Slots;
  readonly #poolId: string;
  /** Did this lab make or remove something? What it freed the pool may measure late. */
  #takenAway = false;
  readonly #deadRuns = new Set<string>();

  constructor(session: Session, settings: XoLabSettings, pool: Pool) {
    this.name = settings.name;
    this.xoVersion = session.xoVersion;
    this.poolName = pool.name;
    this.#poolId = pool.id;
    this.#session = session;
    this.#settings = settings;
    this.#slots = new Slots(settings.slots);
  }

  get reconnects(): number {
    return this.#session.reconnects;
  }

  get takesControl(): boolean {
    return this.#settings.fixed?.control ?? true;
  }

  timeOfDayMs(): number {
    return xoNowMs(this.#session);
  }

  check(image: PlannedImage): void {
    const { fixed } = this.#settings;
    if (fixed !== null) checkFixedPlace(this.#session.objects, fixed, image);
  }

  wantsBytes(image: PlannedImage): boolean {
    const { cache } = this.#settings;
    const { objects } = this.#session;
    // A pool that is out of sight just now may have it: whoever reads in vain has lost time, and nothing else.
    if (cache === null || !objects.poolPresent(this.#poolId)) return true;
    const placement = placementOf(objects, this.#settings);
    return !isKept({ making: { session: this.#session, placement, order: { image } }, cache });
  }

  async admit(
    runId: string,
    waitMs: number,
    signal: AbortSignal,
    onWait: (who: string) => void,
  ): Promise<Admission | null> {
    const [session, poolId, settings] = [this.#session, this.#poolId, this.#settings];
    if (settings.tickets === null) return null;
    const { max, waitMs: patienceMs } = settings.tickets;
    const roomInMemory = (pending: number): boolean => guestsInMemory(session.objects, settings) > pending;
    const deadline = Deadline.after(Math.min(waitMs, patienceMs), signal);
    return takeTicket({
      ...{ session, poolId, runId, max, settleMs: settings.settleMs, roomInMemory, deadline, onWait },
    });
  }

  provision(order: GuestOrder): Promise<Guest> {
    const [session, settings, slots] = [this.#session, this.#settings, this.#slots];
    const context = { session, settings, slots, figuresMayLag: this.#takenAway, deadRuns: this.#deadRuns };
    // A second guest is made when the first one has been taken back.
    this.#takenAway = true;
    const { fixed } = settings;
    return fixed === null ? provision(context, order) : provisionFixed(context, fixed, order);
  }

  async keepFailed(runId: string, { sha256: digest }: PlannedImage, deadline: Deadline): Promise<void> {
    const { cache } = this.#settings;
    if (cache === null || cache.keepFailedMs === 0) return;
    const failed = { poolId: this.#poolId, digest, runId, keepMs: cache.keepFailedMs };
    await keepFailed(this.#session, failed, deadline);
  }

  async claimed(runId: string, deadline: Deadline): Promise<readonly string[]> {
    const [session, pool] = [this.#session, this.#poolId];
    const [found, unfinished] = await Promise.all([
      listTagged(session, pool, runTag(runId), deadline),
      this.#settings.cache === null ? [] : listUnfinished(session, pool, runId, deadline),
    ]);
    const stayed = [...found, ...unfinished].filter(({ tags }) => !tags.some((each) => each.startsWith(keptTag(''))));
    return [...stayed.map(describeListed), ...this.#halfMade(runId)];
  }

  /** XO that dies within `vm.create` may leave a VM with our name and nothing else: without a claim it stays. */
  #halfMade(runId: string): readonly string[] {
    const { objects } = this.#session;
    const isOurs = ({ name }: { readonly name: string }): boolean =>
      name.startsWith(`${OURS} `) && name.endsWith(`-${runId.slice(0, RUN_ID_SHOWN)}`);
    const unclaimed = [
      ...objects.all('VM').filter((vm) => isOurs(vm) && !vm.tags.includes(OURS)),
      ...objects.all('VM-template').filter(isOurs),
    ];
    return unclaimed.map(({ id, name }) => `VM ${id} ${name}: half made, without our claim; delete it by hand`);
  }

  async sweepDead(dead: readonly DeadRun[], deadline: Deadline): Promise<SweepLines> {
    const only = dead.map(({ runId }) => runId);
    for (const runId of only) this.#deadRuns.add(runId);
    const lines = sweepLines(await sweep(this.#session, { dead, only, dryRun: false, takesKept: false }, deadline));
    this.#takenAway ||= lines.removed.length > 0;
    return lines;
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

/** The pool that guests are in; everything that the settings name is looked at here, before anything is made. */
function poolOf({ objects }: Session, settings: XoLabSettings): Pool {
  if (settings.fixed === null) return placementOf(objects, settings).pool;
  const { poolId } = checkFixedPlace(objects, settings.fixed, null);
  const pool = objects.get('pool', poolId);
  if (pool !== undefined) return pool;
  throw new Fault('XO_OBJECT_LATE', `Xen Orchestra shows fixed.vm, but not its pool ${poolId}`);
}

/**
 * Signs in and resolves template, SR, network and host, so that a wrong name is told before anything is made.
 * @param onChange told when the session is lost and when it is back
 * @throws Fault BAD_PLACEMENT, BAD_FIXED_VM, and as `openSession`
 */
export async function openXoLab(
  settings: XoLabSettings,
  deadline: Deadline,
  onChange?: (what: string) => void,
): Promise<Lab> {
  const { url, credential, tls } = settings;
  const session = await openSession({ url, credential, tls, deadline, ...(onChange ? { onChange } : {}) });
  try {
    return new XoLab(session, settings, poolOf(session, settings));
  } catch (error) {
    await session.close();
    throw error;
  }
}
