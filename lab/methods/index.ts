/** The methods of the endpoint by name. Each has its recorded schema in `contract/methods.json`. */
import { diskMethods } from './disk.ts';
import type { Method } from './method.ts';
import { sessionMethods } from './session.ts';
import { systemMethods } from './system.ts';
import { tokenMethods } from './token.ts';
import { userMethods } from './user.ts';
import { vmMethods } from './vm.ts';
import { vmCreateMethods } from './vm-create.ts';
import { xoMethods } from './xo.ts';

export const METHODS: Readonly<Record<string, Method>> = {
  ...sessionMethods,
  ...systemMethods,
  ...tokenMethods,
  ...userMethods,
  ...xoMethods,
  ...vmCreateMethods,
  ...vmMethods,
  ...diskMethods,
};
