/**
 * What a contract test may do in somebody's pool: make objects under its own name, and touch exactly those. Looked at
 * before a call is sent; a test that would touch anything else fails here, and nothing is sent.
 */
import { randomBytes } from 'node:crypto';
import type { XoObject } from '../../lab/json.ts';

type Params = Readonly<Record<string, unknown>>;

/** Whose result is the id of a new object; the name is in `name_label` or `name`. */
const MAKE: readonly string[] = ['vm.create', 'disk.create', 'disk.import', 'vm.clone', 'vm.snapshot'];
/** They change nothing, or only tokens that the test made itself. */
const HARMLESS =
  /^(xo\.getAllObjects|system\.\w+|token\.(create|deleteOwn)|session\.\w+|server\.getAll|vm\.frobnicate)$/;
/** They act on what `id`, `vm` and `vdi` name. */
const ACT: readonly string[] = [
  ...MAKE,
  ...['vm.start', 'vm.stop', 'vm.restart', 'vm.set', 'vm.attachDisk', 'vm.setBootOrder', 'vm.delete'],
  'vm.convertToTemplate',
  ...['vdi.set', 'vdi.delete', 'vbd.delete', 'tag.add', 'tag.remove'],
];
const OTHERS = /^(VM|VM-template|VM-snapshot|VM-controller|VDI|VDI-snapshot|VDI-unmanaged|VBD|VIF)$/;

const unsent = (what: string): Error => new Error(`not sent, since it is not ours: ${what}`);

export class OwnObjects {
  /** At the head of each name: random, so that whatever has it is ours. */
  readonly prefix = `bootwitness-contract-${randomBytes(6).toString('hex')}`;
  readonly #ids = new Set<string>();
  readonly #lookup: (id: string) => Promise<XoObject | undefined>;

  /** @param lookup the object that the pool shows by this id, uuid or reference */
  constructor(lookup: (id: string) => Promise<XoObject | undefined>) {
    this.#lookup = lookup;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: unknown): void {
    if (typeof id === 'string') this.#ids.add(id);
  }

  /** @throws Error for a call that could touch what is not ours */
  async checkCall(method: string, params: Params | readonly unknown[]): Promise<void> {
    if (HARMLESS.test(method)) return;
    if (!ACT.includes(method)) throw unsent(`${method} is no method that a contract test needs`);
    const given = Array.isArray(params) ? params : ['id', 'vm', 'vdi'].map((key) => (params as Params)[key]);
    for (const id of given) if (typeof id === 'string') await this.#checkId(method, id);
    if (!MAKE.includes(method)) return;
    const { name_label, name } = params as Params;
    if (!String(name_label ?? name).startsWith(this.prefix))
      throw unsent(`${method} under the name ${name_label ?? name}`);
  }

  async #checkId(method: string, id: string): Promise<void> {
    if (this.#ids.has(id)) return;
    const object = await this.#lookup(id);
    // What is not there cannot be touched; an SR is no VM, and a test may ask what XO says of that.
    if (object === undefined || !OTHERS.test(object.type)) return;
    const owner = object.type === 'VBD' ? object.VM : object.type === 'VIF' ? object.$VM : object.id;
    if (!this.#ids.has(String(owner))) throw unsent(`${method} of the ${object.type} ${id}`);
  }

  /** @throws Error as `checkCall` */
  checkRequest(method: string, path: string): void {
    if (method === 'GET' || method === 'HEAD') return;
    const { pathname, searchParams } = new URL(path, 'http://xo');
    const [, kind, id = ''] = /^\/rest\/v0\/(\w+)\/([^/.]+)/.exec(pathname) ?? [];
    const own = (kind === 'vdis' || kind === 'vms') && this.#ids.has(id) && /^(PUT|DELETE)$/.test(method);
    const named = (searchParams.get('name_label') ?? '').startsWith(this.prefix);
    const makes = method === 'POST' && kind === 'srs' && /\/vdis$/.test(pathname) && named;
    if (!own && !makes) throw unsent(`${method} ${path}`);
  }
}
