/** `token.*`: authentication tokens of the caller. */
import { objectFilter } from '../filter.ts';
import type { JsonObject, XoObject } from '../json.ts';
import { caller, method } from './method.ts';

interface Create {
  readonly client?: { readonly id: string };
  readonly description?: string;
  readonly expiresIn?: number | string;
}

interface DeleteOwn {
  readonly pattern?: JsonObject;
  readonly tokens?: readonly string[];
}

export const tokenMethods = {
  'token.create': method<Create>({
    run({ client, description, expiresIn }, call) {
      return call.world.accounts.createToken(caller(call), {
        expiresIn,
        ...(client ? { clientId: client.id } : {}),
        ...(description === undefined ? {} : { description }),
      });
    },
  }),
  'token.deleteOwn': method<DeleteOwn>({
    run({ pattern, tokens = [] }, call) {
      const fits = pattern ? objectFilter(pattern) : () => false;
      call.world.accounts.deleteTokens(
        caller(call),
        (token) => tokens.includes(String(token.id)) || fits(token as XoObject),
      );
      return undefined;
    },
  }),
};
