/** The opening of an RFB connection as far as the size of the screen: versions 3.3 to 3.8, without authentication. */
import type { Deadline } from '../../deadline.ts';
import { Fault } from '../../faults/faults.ts';

/** Bytes in both directions, e.g. `ConsoleSocket`. */
export interface RfbLine {
  /** Exactly so many. @throws Fault CONSOLE_CLOSED when it ends before, or not in time, and the interrupt */
  read(bytes: number, deadline: Deadline): Promise<Buffer>;
  write(bytes: Buffer): void;
  close(): void;
}

export const PIXEL_BYTES = 4;
/** RFC 6143, 7.1.1: `RFB xxx.yyy\n`. */
const VERSION_BYTES = 12;
const SECURITY_NONE = 1;
const NAME_BYTES_MAX = 4096;
const REASON_BYTES_MAX = 1024;
/** No VGA of a hypervisor's is larger without a guest that asks for it; 9 MB of pixels. */
const SIDE_MAX = 2560;
const PIXELS_MAX = 1920 * 1200;

export const refused = (why: string, cause?: unknown): Fault =>
  new Fault('CONSOLE_CLOSED', `the console cannot be seen: ${why}`, cause === undefined ? {} : { cause });

/** @throws Fault CONSOLE_CLOSED where a picture of this size is not taken */
export function pictureSize(width: number, height: number): void {
  if (width >= 1 && height >= 1 && width <= SIDE_MAX && height <= SIDE_MAX && width * height <= PIXELS_MAX) return;
  throw refused(`expected a picture of at most ${PIXELS_MAX} pixels, given ${width}x${height}`);
}

/** @throws Fault CONSOLE_CLOSED, and the interrupt */
export async function handshake(
  line: RfbLine,
  deadline: Deadline,
): Promise<{ readonly width: number; readonly height: number }> {
  const said = (await line.read(VERSION_BYTES, deadline)).toString('latin1');
  const minor = /^RFB 003\.(\d{3})\n$/.exec(said)?.[1];
  if (minor === undefined) throw refused(`expected the greeting of RFB 3, given ${JSON.stringify(said)}`);
  // 3.3 is what is left where a server says something between the three that exist (RFC 6143, 7.1.1).
  const version = Number(minor) >= 8 ? 8 : Number(minor) === 7 ? 7 : 3;
  line.write(Buffer.from(`RFB 003.00${version}\n`, 'latin1'));
  await security(line, deadline, version);
  line.write(Buffer.from([1])); // shared: somebody who watches already is not thrown out
  const head = await line.read(24, deadline);
  const [width, height] = [head.readUInt16BE(0), head.readUInt16BE(2)];
  pictureSize(width, height);
  const nameBytes = head.readUInt32BE(20);
  if (nameBytes > NAME_BYTES_MAX) throw refused(`its name has ${nameBytes} bytes`);
  await line.read(nameBytes, deadline);
  return { width, height };
}

async function security(line: RfbLine, deadline: Deadline, version: 3 | 7 | 8): Promise<void> {
  if (version === 3) {
    const type = (await line.read(4, deadline)).readUInt32BE(0);
    if (type === 0) throw refused(await reason(line, deadline));
    if (type !== SECURITY_NONE) throw refused(`it wants authentication of type ${type}`);
    return;
  }
  const [count = 0] = await line.read(1, deadline);
  if (count === 0) throw refused(await reason(line, deadline));
  const types = await line.read(count, deadline);
  if (!types.includes(SECURITY_NONE)) throw refused(`it wants authentication of type ${[...types].join(' or ')}`);
  line.write(Buffer.from([SECURITY_NONE]));
  if (version === 7) return;
  if ((await line.read(4, deadline)).readUInt32BE(0) !== 0) throw refused(await reason(line, deadline));
}

async function reason(line: RfbLine, deadline: Deadline): Promise<string> {
  const bytes = (await line.read(4, deadline)).readUInt32BE(0);
  const text = (await line.read(Math.min(bytes, REASON_BYTES_MAX), deadline)).toString('utf8');
  return `it refuses (${text})`;
}
