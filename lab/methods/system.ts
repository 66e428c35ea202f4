/** `system.*` and `server.*`: what this Xen Orchestra is, and the one pool it is connected to. */
import { allMethodsInfo } from './info.ts';
import { method } from './method.ts';

/** The version whose behaviour is recorded in `test/contract/recorded`. */
export const XO_SERVER_VERSION = '5.207.2';
const API_VERSION = '0.1';

export const systemMethods = {
  'system.getVersion': method({ run: () => API_VERSION }),
  'system.getServerVersion': method({ run: () => XO_SERVER_VERSION }),
  'system.getMethodsInfo': method({ run: () => ({ ...allMethodsInfo() }) as never }),
  'server.getAll': method({
    run(_, { world }) {
      const { inventory, view } = world;
      return [
        {
          allowUnauthorized: true,
          enabled: true,
          host: '127.0.0.1',
          label: 'embedded',
          username: 'root',
          poolNameDescription: 'VMs as processes of this machine',
          poolNameLabel: inventory.options.poolName,
          poolMembersAddresses: ['127.0.0.1'],
          readOnly: false,
          id: inventory.serverId,
          ...(view.isHidden
            ? { status: 'connecting' }
            : { status: 'connected', poolId: inventory.pool.uuid, master: inventory.host.uuid }),
        },
      ];
    },
  }),
};
