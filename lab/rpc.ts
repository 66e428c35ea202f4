/** JSON-RPC on one connection: finds the method, checks permission and parameters, resolves ids, calls, replies. */
import type { SignedIn } from './accounts.ts';
import { errorReply, methodNotFound, type ObjectType, unauthorized, XoError } from './errors.ts';
import { interfere } from './interference.ts';
import type { Json, JsonObject, XoObject } from './json.ts';
import { METHODS } from './methods/index.ts';
import { methodInfo } from './methods/info.ts';
import type { Call } from './methods/method.ts';
import { checkedParameters } from './parameters.ts';
import type { World } from './world.ts';

/** What a connection is to the dispatcher. */
export interface Connection {
  send(message: Json): void;
  /** Cuts it, without a word. */
  cut(): void;
}

interface Request {
  readonly id: Json;
  readonly method: string;
  readonly params: Json | undefined;
  readonly isNotification: boolean;
}

const INVALID_REQUEST = { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'invalid JSON-RPC message' } };
const PARSE_ERROR = { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'invalid JSON' } };

export class RpcSession {
  readonly #world: World;
  readonly #connection: Connection;
  #signedIn: SignedIn | null = null;

  constructor(world: World, connection: Connection) {
    this.#world = world;
    this.#connection = connection;
  }

  get isSignedIn(): boolean {
    return this.#signedIn !== null;
  }

  /** Takes one message as it came. Never rejects. */
  async receive(text: string): Promise<void> {
    // The first message after the token's expiry gets no reply: the connection closes.
    const expiresAt = this.#signedIn?.expiresAt ?? null;
    if (expiresAt !== null && expiresAt <= Date.now()) return this.#connection.cut();
    let message: Json;
    try {
      message = JSON.parse(text) as Json;
    } catch {
      this.#world.log(`a message that is no JSON: ${text.slice(0, 80)}`);
      return this.#connection.send(PARSE_ERROR);
    }
    const request = asRequest(message);
    if (!request) return this.#connection.send(INVALID_REQUEST);
    const { mishaps, log } = this.#world;
    if (mishaps.hits('tell', request.method)) log(`mishap tell: ${request.method} arrived`);
    if (this.#cutBefore(request.method)) return this.#connection.cut();
    const cutAfter = mishaps.hits('drop-session-replied', request.method);
    const reply = await this.#answer(request);
    if (reply && !request.isNotification) this.#connection.send({ jsonrpc: '2.0', id: request.id, ...reply });
    if (!cutAfter) return;
    log(`mishap drop-session-replied: ${request.method} answered, connection cut`);
    this.#connection.cut();
  }

  /** Mishaps that end the connection before the call is carried out. */
  #cutBefore(method: string): boolean {
    const { mishaps, log, accounts, restart } = this.#world;
    const restartAt = mishaps.restartAt(method);
    if (restartAt !== null) restart(restartAt);
    if (mishaps.hits('revoke-token', method) && this.#signedIn) {
      const { user, token } = this.#signedIn;
      accounts.deleteTokens(user, ({ id }) => id === token);
      log(`mishap revoke-token: ${method} arrived`);
      return true;
    }
    if (!mishaps.hits('drop-session-before', method)) return restartAt !== null;
    log(`mishap drop-session-before: ${method} arrived, connection cut`);
    return true;
  }

  async #answer(request: Request): Promise<JsonObject | null> {
    const { mishaps, log, view } = this.#world;
    if (mishaps.hits('stall', request.method)) {
      log(`mishap stall: ${request.method} gets no answer`);
      return null;
    }
    const isCut = mishaps.hits('drop-session-after', request.method);
    if (isCut) {
      log(`mishap drop-session-after: ${request.method} arrived, connection cut`);
      this.#connection.cut();
    }
    const user = this.#signedIn?.user;
    try {
      await interfere(this.#world, request.method, request.params);
      const result = await this.#call(request.method, request.params);
      return isCut ? null : { result: result === undefined ? true : result };
    } catch (error) {
      const idOf = (ref: string) => view.get(ref)?.id ?? ref;
      const reply = errorReply(error, user?.permission === 'admin', idOf);
      if (!(error instanceof XoError)) log(`${request.method}: ${error instanceof Error ? error.message : error}`);
      return isCut ? null : { error: { ...reply } };
    }
  }

  async #call(name: string, given: Json | undefined): Promise<Json | undefined> {
    const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
    if (!method) {
      this.#world.log(`UNKNOWN METHOD ${name}: not one of those that this lab has; see system.getMethodsInfo`);
      throw methodNotFound(name);
    }
    const info = methodInfo(name);
    const user = this.#signedIn?.user;
    if (info.permission !== null && !user) throw unauthorized(info.permission);
    if (info.permission === 'admin' && user?.permission !== 'admin') throw unauthorized('admin');
    const params = checkedParameters(name, info.params, given);
    const call: Call = {
      world: this.#world,
      user: user ?? null,
      objects: this.#resolve(method.resolve ?? {}, params),
      signedIn: (signedIn) => {
        this.#signedIn = signedIn;
      },
      mayAdminister: (id) => this.#requirePermission(id, 'administrate'),
    };
    return await method.run(params, call);
  }

  #resolve(
    wanted: Readonly<Record<string, readonly [ObjectType | undefined, string]>>,
    params: JsonObject,
  ): Readonly<Record<string, XoObject>> {
    const objects: Record<string, XoObject> = {};
    const permissions: (readonly [string, string])[] = [];
    for (const [key, [type, permission]] of Object.entries(wanted)) {
      const id = params[key];
      if (typeof id !== 'string') continue;
      const object = this.#world.view.need(id, type);
      objects[key] = object;
      if (permission !== '') permissions.push([object.id, permission]);
    }
    for (const [id, permission] of permissions) this.#requirePermission(id, permission);
    return objects;
  }

  #requirePermission(id: string, permission: string): void {
    const user = this.#signedIn?.user;
    if (user?.permission !== 'admin' && user?.poolAdmin !== true) throw unauthorized(permission, id);
  }
}

function asRequest(message: Json): Request | null {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return null;
  const { id, method, params } = message as JsonObject;
  if (typeof method !== 'string') return null;
  return { id: id ?? null, method, params, isNotification: id === undefined };
}
