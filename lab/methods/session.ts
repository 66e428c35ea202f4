/** `session.*`: who this connection is. */
import { publicUser } from '../accounts.ts';
import type { JsonObject } from '../json.ts';
import { method } from './method.ts';

export const sessionMethods = {
  'session.signIn': method<JsonObject>({
    run(credentials, call) {
      const signedIn = call.world.accounts.signIn(credentials);
      call.signedIn(signedIn);
      return publicUser(signedIn.user);
    },
  }),
  'session.signOut': method({
    run(_, call) {
      call.signedIn(null);
      return undefined;
    },
  }),
  'session.getUser': method({
    run: (_, call) => (call.user ? publicUser(call.user) : null),
  }),
};
