/**
 * Copy-on-write chains: a clone and its source share hidden base copies (`VDI-unmanaged`), found by `parent`. On a VHD
 * SR of XCP-ng a chain of 30 makes no further clone (`MAX_CHAIN_SIZE` in the `vhdutil.py` of its storage manager; the
 * refusal is SR_BACKEND_FAILURE_109).
 */
type Raw = Readonly<Record<string, unknown>>;

export interface Chain {
  /** Disks from this one to its root, itself included. */
  readonly length: number;
  /** Bytes that each of them takes on the SR. */
  readonly usage: ReadonlyMap<string, number>;
}

const DISK = /^VDI(-unmanaged|-snapshot)?$/;

/** A parent that is not shown counts, and ends the chain: nobody knows how long it really is. */
export function chainOf(objects: ReadonlyMap<string, Raw>, vdiId: string): Chain {
  const usage = new Map<string, number>();
  for (let id: unknown = vdiId; typeof id === 'string' && id !== '' && !usage.has(id); ) {
    const raw = objects.get(id);
    const shown = raw !== undefined && DISK.test(String(raw.type));
    usage.set(id, shown && typeof raw.usage === 'number' ? raw.usage : 0);
    id = shown ? raw.parent : undefined;
  }
  return { length: usage.size, usage };
}
