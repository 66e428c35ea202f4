/** What goes over the wire of the lab's endpoint: JSON, and the objects that Xen Orchestra shows. No behaviour. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** An object as `xo.getAllObjects` gives it; the further keys depend on `type`. Absent values are absent, not null. */
export interface XoObject {
  /** The uuid, but `<pool uuid>-<uuid>` for default templates. */
  readonly id: string;
  readonly type: string;
  readonly uuid: string;
  readonly $pool: string;
  readonly _xapiRef: string;
  readonly [key: string]: Json;
}
