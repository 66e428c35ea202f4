/** `user.*` and `acl.*`: what the caller has. The replies' shapes were read in xo-server's sources, not recorded. */
import type { Json } from '../json.ts';
import { caller, method } from './method.ts';

const ADMIN_ROLE = { view: 1, operate: 1, administrate: 1 } as const;

export const userMethods = {
  'user.getAuthenticationTokens': method({
    run: (_, call): Json => [...call.world.accounts.tokensOf(caller(call))],
  }),
  'acl.getCurrentPermissions': method({
    // Explicit rights only: an administrator has none, and needs none.
    run: (_, call): Json => (caller(call).poolAdmin ? { [call.world.inventory.pool.uuid]: { ...ADMIN_ROLE } } : {}),
  }),
};
