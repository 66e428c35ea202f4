/** Says whether a path lies in the store, by its text: callers pass resolved real paths. */

/** True for `<store>/<item>` and below; the store itself and paths with `.` or `..` in them are not in it. */
export function inStore(path: string, store: string): boolean {
  if (!path.startsWith(`${store}/`) || path.length === store.length + 1) return false;
  return !path.split('/').some((part) => part === '.' || part === '..');
}
