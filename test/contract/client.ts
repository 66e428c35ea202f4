/** A client of Xen Orchestra as the contract tests use it, on either kind of place. */
import xoLib, { type Xo } from 'xo-lib';
import type { XoObject } from '../../lab/json.ts';
import type { Filter, Place } from './place.ts';

/** Opened, not signed in. */
export async function openClient(url: string): Promise<Xo> {
  const xo = new xoLib.default({ url });
  // Without a listener an error after the opening ends the process.
  xo.on('error', () => undefined);
  await xo.open();
  return xo;
}

/** Looks again at each notification until what is seen holds. */
async function satisfied<Seen>(
  xo: Xo,
  calmMs: number,
  look: () => Promise<Seen>,
  holds: (seen: Seen) => boolean,
): Promise<void> {
  const deadline = Date.now() + calmMs;
  for (;;) {
    let told: () => void = () => undefined;
    let timer: NodeJS.Timeout | undefined;
    const news = new Promise<void>((resolve) => {
      told = resolve;
      xo.once('notification', told);
      timer = setTimeout(resolve, calmMs);
    });
    try {
      const seen = await look();
      if (holds(seen)) return;
      if (Date.now() > deadline) throw new Error(`not within ${calmMs} ms; last: ${JSON.stringify(seen)}`);
      await news;
    } finally {
      clearTimeout(timer);
      xo.removeListener('notification', told);
    }
  }
}

/** The ways to look at what is shown. @param calmMs how long may pass until an object shows what was done */
export function looking(xo: Xo, calmMs: number): Pick<Place, 'the' | 'shown' | 'until'> {
  const shown = async (filter: Filter): Promise<readonly XoObject[]> =>
    Object.values((await xo.call('xo.getAllObjects', { filter })) as Record<string, XoObject>);
  return {
    shown,
    the: async (filter) => {
      const [object, ...others] = await shown(filter);
      if (object && others.length === 0) return object;
      throw new Error(`${others.length + (object ? 1 : 0)} objects fit ${JSON.stringify(filter)}, expected one`);
    },
    until: (filter, holds) => satisfied(xo, calmMs, () => shown(filter), holds),
  };
}

type Making = Pick<Place, 'xo' | 'until' | 'sr' | 'network' | 'template' | 'name'>;

/** A halted VM with one disk attached, all of it shown; it boots from nothing but that disk. */
export async function makeVm(place: Making, label: string, mac: string): Promise<{ vm: string; vdi: string }> {
  const { xo, until, name } = place;
  const [template, network, sr] = [await place.template(), await place.network(), await place.sr()];
  const vdi = (await xo.call('disk.create', { name: name(`disk of ${label}`), size: '2 MiB', sr: sr.id })) as string;
  const vm = (await xo.call('vm.create', {
    name_label: name(label),
    template: template.id,
    VDIs: [],
    VIFs: [{ network: network.id, mac }],
    memory: 512 * 2 ** 20,
  })) as string;
  await xo.call('vm.attachDisk', { vm, vdi, position: '0', bootable: true });
  await until({ id: vm }, ([object]) => (object?.$VBDs as readonly string[] | undefined)?.length === 1);
  return { vm, vdi };
}
