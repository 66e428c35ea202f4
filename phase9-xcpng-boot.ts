/** Phase 9: the guest boots through FreeBSD init and rc.d starts Shepherd. Also runs as a tap test. */
import { phase } from './harness/phase.ts';
import { phase9XcpngBoot } from './scenarios/phase9-xcpng-boot.ts';

await phase(phase9XcpngBoot, process.argv);
