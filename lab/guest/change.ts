/** What a broken variant of the reference guest changes in its root file system. */

/** One change of the root file system, by the guest's paths; `@CLOSURE@`, `@EXTRA@`, `@SHEPHERD@` are store items. */
export type Change =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  /** `file`: name in `files/variants`; `mtime`: UTC, as debugfs reads it. Replaces what is there. */
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly file: string;
      readonly mode: number;
      readonly mtime?: string;
    }
  /** Replaces `from`, which must be there once. */
  | { readonly kind: 'edit'; readonly path: string; readonly from: string; readonly to: string }
  | { readonly kind: 'move'; readonly path: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string };
