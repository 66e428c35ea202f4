/** A process that starts one VM and then waits to be killed; for `backend.test.ts`. Argument: the VM as JSON. */
import type { BackendVm } from '../../lab/backend.ts';
import { qemuBackend } from '../../lab/qemu.ts';

const vm: BackendVm = JSON.parse(process.argv[2] ?? '');
const running = await qemuBackend({ log: () => undefined }).start(vm);
process.stdout.write('running\n');
await running.exited;
