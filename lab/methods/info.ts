/** The recorded descriptions, schemas and permissions of the methods that the lab has (`contract/methods.json`). */
import { readFileSync } from 'node:fs';
import type { JsonObject } from '../json.ts';

export interface MethodInfo {
  readonly description?: string;
  readonly params: JsonObject;
  /** Null: no session needed; undefined: any session. */
  readonly permission?: 'admin' | null;
}

const RECORDED = JSON.parse(readFileSync(new URL('../contract/methods.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, MethodInfo>
>;

export function methodInfo(name: string): MethodInfo {
  const info = RECORDED[name];
  if (!info) throw new Error(`method ${name} has no recorded description in lab/contract/methods.json`);
  return info;
}

/** The reply of `system.getMethodsInfo`. */
export function allMethodsInfo(): Readonly<Record<string, MethodInfo>> {
  return RECORDED;
}
