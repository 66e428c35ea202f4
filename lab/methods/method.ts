/** The shape of a method of the endpoint: which ids it resolves, and what it does. Its schema is the recorded one. */
import type { SignedIn, User } from '../accounts.ts';
import type { ObjectType } from '../errors.ts';
import type { Json, JsonObject, XoObject } from '../json.ts';
import type { World } from '../world.ts';

/** What a method knows of the call besides its parameters. */
export interface Call {
  readonly world: World;
  /** Null only for methods that need no session. */
  readonly user: User | null;
  /** Objects named in `resolve`, by parameter; absent where the parameter was. */
  readonly objects: Readonly<Record<string, XoObject>>;
  /** Makes the connection a session of this user; null ends it. */
  signedIn(signedIn: SignedIn | null): void;
  /** @throws XoError code 2 */
  mayAdminister(objectId: string): void;
}

export interface Method {
  /** Parameter → type of the object it names and the permission needed on it (empty: none). */
  readonly resolve?: Readonly<Record<string, readonly [ObjectType | undefined, string]>>;
  /** Nothing returned is a reply of `true`. */
  run(params: JsonObject, call: Call): Promise<Json | undefined> | Json | undefined;
}

interface TypedMethod<P> {
  readonly resolve?: Method['resolve'];
  run(params: P, call: Call): Promise<Json | undefined> | Json | undefined;
}

/** `P` is what the recorded schema of the method lets through; it was checked before `run`. */
export function method<P>(typed: TypedMethod<P>): Method {
  return {
    ...(typed.resolve ? { resolve: typed.resolve } : {}),
    run: (params, call) => typed.run(params as P, call),
  };
}

/** The object that parameter `name` names. Resolving has refused the call where it is missing. */
export function named(call: Call, name: string): XoObject {
  const object = call.objects[name];
  if (!object) throw new Error(`parameter ${name} has not been resolved`);
  return object;
}

/** The signed-in user. Only methods that need no session are called without one. */
export function caller(call: Call): User {
  if (!call.user) throw new Error('a method that needs a session was called without one');
  return call.user;
}
