/** An error reply of Xen Orchestra as a Fault. Told by the fields `code` and `data.code`, never by the text. */

import type { FaultCode } from '../faults/fault-table.ts';
import { Fault } from '../faults/faults.ts';

/** XO's codes that somebody here acts on (`packages/xo-common/api-errors.js`). */
const NO_SUCH_OBJECT = 1;
const UNAUTHORIZED = 2;
const INVALID_CREDENTIALS = 3;
const NO_HOSTS_AVAILABLE = 7;
export const BAD_POWER_STATE = 13;
const VDI_IN_USE = 17;
/** Anything without a code of its own; for administrators `data.code` is the XAPI's. */
const UNNAMED = -32000;

/** The XAPI's "no such object"; its first parameter is the type. */
const HANDLE_INVALID = 'HANDLE_INVALID';
const XAPI_OUT_OF_MEMORY: readonly unknown[] = ['HOST_NOT_ENOUGH_FREE_MEMORY', 'NO_HOSTS_AVAILABLE'];

interface XoErrorReply {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

const fieldOf = (data: unknown, field: string): unknown =>
  typeof data === 'object' && data !== null ? (data as Readonly<Record<string, unknown>>)[field] : undefined;

/** What XO answered, in fields; the cause of the Fault. */
export class XoError extends Error {
  readonly method: string;
  readonly code: number;
  /** The XAPI's own code, where XO shows it. */
  readonly xapiCode: string | null;
  /** XO keeps what happened from users that are no administrators. */
  readonly hidden: boolean;
  /** It was about a VM that is not there; false also where XO does not say of what type. */
  readonly isVmGone: boolean;
  constructor(method: string, reply: XoErrorReply) {
    super(reply.message);
    this.name = 'XoError';
    this.method = method;
    this.code = reply.code;
    const { data } = reply;
    const named = fieldOf(data, 'code');
    this.xapiCode = typeof named === 'string' ? named : null;
    const types = [fieldOf(data, 'type')].flat();
    const [handle] = [fieldOf(data, 'params')].flat();
    this.isVmGone =
      reply.code === NO_SUCH_OBJECT ? types.includes('VM') : this.xapiCode === HANDLE_INVALID && handle === 'VM';
    // For administrators every failure without a code of its own has data.
    this.hidden = reply.code === UNNAMED && (data === undefined || data === null);
  }
}

/** Did XO answer this call with this code of its own? */
export function isXoError(error: unknown, code: number): boolean {
  return error instanceof Fault && error.cause instanceof XoError && error.cause.code === code;
}

/** XO's own "no such object", which it also says of everything while its pool is lost. */
export const isNoSuchObject = (error: unknown): boolean => isXoError(error, NO_SUCH_OBJECT);

/** There is no such object: XO does not list it, or lists it still (its objects lag) and the pool knows better. */
export function isGone(error: unknown): boolean {
  if (isXoError(error, NO_SUCH_OBJECT)) return true;
  return error instanceof Fault && error.cause instanceof XoError && error.cause.xapiCode === HANDLE_INVALID;
}

/** Another operation on the object has not ended yet; to who is no administrator XO does not say which error it is. */
export function isBusy(error: unknown): boolean {
  if (isXoError(error, VDI_IN_USE)) return true;
  if (!(error instanceof Fault) || !(error.cause instanceof XoError) || error.cause.code !== UNNAMED) return false;
  return error.cause.xapiCode === null || error.cause.xapiCode === 'OTHER_OPERATION_IN_PROGRESS';
}

function faultCode(error: XoError): FaultCode {
  if (error.code === INVALID_CREDENTIALS) return 'XO_SIGN_IN_REFUSED';
  if (error.code === UNAUTHORIZED) return 'XO_PERMISSION';
  if (error.code === NO_HOSTS_AVAILABLE || XAPI_OUT_OF_MEMORY.includes(error.xapiCode)) return 'NO_HOST_AVAILABLE';
  if (error.isVmGone) return 'VM_LOST';
  if (error.code === UNNAMED && error.hidden) return 'XO_ERROR_HIDDEN';
  return error.method === 'vm.start' ? 'VM_START_REFUSED' : 'XO_CALL_FAILED';
}

function permission(data: unknown): string {
  if (typeof data !== 'object' || data === null || !('permission' in data)) return '';
  return ` (wanted: ${String(data.permission)})`;
}

/** Null: not an error reply (a broken connection, say). */
export function faultOfReply(method: string, error: unknown): Fault | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') return null;
  const data = 'data' in error ? error.data : undefined;
  const cause = new XoError(method, { code: error.code, message: error.message, data });
  const code = error.code === UNNAMED && cause.xapiCode !== null ? cause.xapiCode : error.code;
  return new Fault(faultCode(cause), `${method}: ${error.message}${permission(data)} [${code}]`, { cause });
}
