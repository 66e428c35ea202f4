/**
 * The errors of the endpoint: Xen Orchestra's own, with code and data as recorded, and those of the XAPI behind it.
 * What a client gets of an error is decided in `errorReply`.
 */
import type { Json, JsonObject } from './json.ts';

/** An error with a code of Xen Orchestra's or of JSON-RPC's. */
export class XoError extends Error {
  readonly code: number;
  readonly data: Json | undefined;
  constructor(code: number, message: string, data?: Json) {
    super(message);
    this.name = 'XoError';
    this.code = code;
    this.data = data;
  }
}

/** A failure that the XAPI reports: a code in capitals and parameters, where objects are opaque references. */
export class XapiError extends Error {
  readonly code: string;
  readonly params: readonly string[];
  /** The XAPI call that failed, as XO reports it to administrators. */
  readonly call: { readonly method: string; readonly params: readonly Json[] } | undefined;
  constructor(
    code: string,
    params: readonly string[] = [],
    call?: { readonly method: string; readonly params: readonly Json[] },
  ) {
    super(`${code}(${params.join(', ')})`);
    this.name = 'XapiError';
    this.code = code;
    this.params = params;
    this.call = call;
  }
}

/** Leaves out what is undefined: XO's data has absent keys, never null ones. */
function present(values: Readonly<Record<string, Json | undefined>>): JsonObject {
  const kept: Record<string, Json> = {};
  for (const [key, value] of Object.entries(values)) if (value !== undefined) kept[key] = value;
  return kept;
}

export type ObjectType = string | readonly string[];

export const methodNotFound = (method: string) => new XoError(-32601, `method not found: ${method}`, method);

export const noSuchObject = (id: string, type?: ObjectType) =>
  new XoError(1, `no such ${type ?? 'object'} ${id}`, present({ id, type }));

export const unauthorized = (permission?: string, objectId?: string) =>
  new XoError(2, 'not enough permissions', present({ permission, object: present({ id: objectId }) }));

export const invalidCredentials = () => new XoError(3, 'invalid credentials');

export const forbiddenOperation = (operation: string, reason?: string) =>
  new XoError(5, `forbidden operation: ${operation}`, present({ operation, reason }));

/** `errors` are ajv's; without them the check was not the schema's. */
export const invalidParameters = (message = 'invalid parameters', errors?: readonly Json[]) =>
  new XoError(10, message, present({ errors }));

export const operationFailed = (objectId: string, code: string) =>
  new XoError(21, 'operation failed', { objectId, code });

export const incorrectState = (state: {
  readonly actual: Json;
  readonly expected: Json;
  readonly object: string;
  readonly property: string;
}) => new XoError(25, 'incorrect state', { ...state });

/** Those XAPI failures that XO gives a code of its own; `idOf` turns a reference into an id. */
function translated(error: XapiError, idOf: (ref: string) => string): XoError | null {
  const [first = '', second = '', third = ''] = error.params;
  switch (error.code) {
    case 'HOST_OFFLINE':
      return new XoError(18, 'host offline', { objectId: idOf(first) });
    case 'NO_HOSTS_AVAILABLE':
      return new XoError(7, 'no hosts available');
    case 'NOT_SUPPORTED_DURING_UPGRADE':
      return new XoError(15, 'not supported during upgrade');
    case 'OPERATION_BLOCKED':
      return new XoError(19, 'operation blocked', { objectId: idOf(first), code: second });
    case 'SESSION_AUTHENTICATION_FAILED':
      return new XoError(8, 'authentication failed');
    case 'VDI_IN_USE':
      return new XoError(17, 'VDI in use', { objectId: idOf(first), operation: second });
    case 'VM_BAD_POWER_STATE':
      return new XoError(13, `VM state is ${third} but should be ${second}`, {
        objectId: idOf(first),
        expected: second,
        actual: third,
      });
    case 'VM_IS_TEMPLATE':
      return new XoError(12, 'VM is a template', { objectId: idOf(first) });
    case 'VM_LACKS_FEATURE':
      return new XoError(14, 'VM lacks feature ', { objectId: idOf(first) });
    case 'VM_LACKS_FEATURE_SHUTDOWN':
      return new XoError(14, 'VM lacks feature shutdown', { objectId: idOf(first), feature: 'shutdown' });
    case 'VM_MISSING_PV_DRIVERS':
      return new XoError(11, 'missing PV drivers', { objectId: idOf(first) });
    default:
      return null;
  }
}

export interface ErrorReply {
  readonly code: number;
  readonly message: string;
  readonly data?: Json;
}

/** The details of an error without a code of XO's, as administrators see them. */
function details(error: Error): JsonObject {
  const stack = error.stack ?? '';
  if (!(error instanceof XapiError)) return { message: error.message, name: error.name, stack };
  const call = error.call && {
    duration: 1,
    method: error.call.method,
    params: ['* session id *', ...error.call.params],
  };
  return present({ code: error.code, params: error.params, call, message: error.message, name: error.name, stack });
}

/** What the client gets: details for administrators, the opaque sentence for others. */
export function errorReply(thrown: unknown, isAdmin: boolean, idOf: (ref: string) => string): ErrorReply {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const own = error instanceof XapiError ? translated(error, idOf) : error instanceof XoError ? error : null;
  if (own) return { code: own.code, message: own.message, ...(own.data === undefined ? {} : { data: own.data }) };
  if (!isAdmin) return { code: -32000, message: 'unknown error from the peer' };
  return { code: -32000, message: error.message, data: details(error) };
}
