/** The viewer against servers that are old, odd, hostile or gone. The line is in memory; no server is asked. */
import t from 'tap';
import { Deadline } from '../../../../harness/deadline.ts';
import { Fault } from '../../../../harness/faults/faults.ts';
import { RfbClient } from '../../../../harness/xcpng/screen/rfb-client.ts';
import type { RfbLine } from '../../../../harness/xcpng/screen/rfb-handshake.ts';

const within = (ms = 5_000): Deadline => Deadline.after(ms, new AbortController().signal);
const bytes = (...values: number[]): Buffer => Buffer.from(values);
const u16 = (value: number): number[] => [value >> 8, value & 0xff];
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];

/** A line that says what it is told, then ends, or stays silent. */
class Spoken implements RfbLine {
  #unread: Buffer;
  readonly #stays: boolean;
  readonly written: Buffer[] = [];
  closed = false;
  #wake: () => void = () => undefined;
  constructor(said: readonly Buffer[], stays = false) {
    this.#unread = Buffer.concat(said);
    this.#stays = stays;
  }
  say(more: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, more]);
    this.#wake();
  }
  async read(count: number, deadline: Deadline): Promise<Buffer> {
    while (this.#unread.length < count) {
      if (!this.#stays || this.closed) throw new Fault('CONSOLE_CLOSED', 'it was closed');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        deadline.signal.addEventListener('abort', () => resolve());
      });
      deadline.check();
    }
    const taken = this.#unread.subarray(0, count);
    this.#unread = this.#unread.subarray(count);
    return taken;
  }
  write(data: Buffer): void {
    this.written.push(data);
  }
  close(): void {
    this.closed = true;
    this.#wake();
  }
}

const V38 = Buffer.from('RFB 003.008\n');
const NONE = [bytes(1, 1), bytes(0, 0, 0, 0)];
const init = (width: number, height: number, name = 'x'): Buffer =>
  Buffer.concat([
    bytes(...u16(width), ...u16(height)),
    Buffer.alloc(16),
    bytes(...u32(name.length)),
    Buffer.from(name),
  ]);
const rectangle = (x: number, y: number, w: number, h: number, encoding = 0, pixels: number[] = []): Buffer =>
  bytes(...u16(x), ...u16(y), ...u16(w), ...u16(h), ...u32(encoding), ...pixels);
const update = (...rectangles: Buffer[]): Buffer =>
  Buffer.concat([bytes(0, 0, ...u16(rectangles.length)), ...rectangles]);
const BLUE_RED = [255, 0, 0, 0, 0, 0, 255, 0];

t.test('a picture comes, and what changes comes into it', async (t) => {
  const line = new Spoken([V38, ...NONE, init(2, 1), update(rectangle(0, 0, 2, 1, 0, BLUE_RED))], true);
  const client = await RfbClient.open(line, within());
  const first = await client.look(within());
  t.same([first.width, first.height, ...first.rgb], [2, 1, 0, 0, 255, 255, 0, 0]);
  t.equal(await client.look(within()), first, 'the same object while nothing comes');
  const changed = client.fresh(within());
  line.say(Buffer.concat([bytes(2), bytes(3, 0, 0, 0, ...u32(3)), Buffer.from('abc')]));
  line.say(update(rectangle(1, 0, 1, 1, 0, [0, 255, 0, 0])));
  t.same([...(await changed).rgb], [0, 0, 255, 0, 255, 0], 'bell and text are passed over');
  const resized = client.fresh(within());
  line.say(update(rectangle(0, 0, 1, 1, -223)));
  t.equal((await resized).width, 1, 'the size changed');
  client.close();
  t.ok(line.closed);
  await t.rejects(client.look(within()), { code: 'CONSOLE_CLOSED' });
  const sent = Buffer.concat(line.written);
  t.notOk(
    line.written.slice(3).some((each) => each[0] === 4 || each[0] === 5),
    'no key and no pointer is ever sent',
  );
  t.match(sent.toString('latin1'), /^RFB 003\.008\n/);
});

t.test('older servers: 3.3 chooses by itself, 3.7 tells no result', async (t) => {
  for (const said of [
    [Buffer.from('RFB 003.003\n'), bytes(0, 0, 0, 1), init(2, 1)],
    [Buffer.from('RFB 003.005\n'), bytes(0, 0, 0, 1), init(2, 1)],
    [Buffer.from('RFB 003.007\n'), bytes(1, 1), init(2, 1)],
    [Buffer.from('RFB 003.889\n'), ...NONE, init(2, 1)],
  ]) {
    const line = new Spoken([...said, update(rectangle(0, 0, 2, 1, 0, BLUE_RED))], true);
    const client = await RfbClient.open(line, within());
    t.equal((await client.fresh(within())).width, 2);
    client.close();
  }
});

t.test('what is refused at the door, with the reason, and closed', async (t) => {
  const why = Buffer.concat([bytes(...u32(4)), Buffer.from('full')]);
  const rows: readonly (readonly [readonly Buffer[], RegExp])[] = [
    [[Buffer.from('HTTP/1.1 400')], /expected the greeting of RFB 3, given "HTTP/],
    [[Buffer.from('RFB 004.000\n')], /expected the greeting of RFB 3/],
    [[V38, bytes(0), why], /it refuses \(full\)/],
    [[V38, bytes(2, 2, 19)], /wants authentication of type 2 or 19/],
    [[V38, bytes(1, 1), bytes(0, 0, 0, 1), why], /it refuses \(full\)/],
    [[Buffer.from('RFB 003.003\n'), bytes(0, 0, 0, 2)], /wants authentication of type 2/],
    [[V38, ...NONE, init(0, 0)], /given 0x0/],
    [[V38, ...NONE, init(65535, 65535)], /expected a picture of at most .* given 65535x65535/],
    [[V38, ...NONE, init(2, 1, 'x'.repeat(5000))], /its name has 5000 bytes/],
    [[V38, bytes(1)], /it was closed/],
  ];
  for (const [said, message] of rows) {
    const line = new Spoken(said);
    await t.rejects(RfbClient.open(line, within()), { code: 'CONSOLE_CLOSED', message });
    t.ok(line.closed);
  }
});

t.test('what is refused later: the look says why, and the line is closed', async (t) => {
  const rows: readonly (readonly [Buffer, RegExp])[] = [
    [bytes(77), /expected a message of RFB, given one of type 77/],
    [update(rectangle(1, 0, 2, 1)), /a rectangle of 2x1 at 1,0 lies outside 2x1/],
    [update(rectangle(0, 0, 2, 1, 16)), /expected raw pixels, given encoding 16/],
    [update(rectangle(0, 0, 65535, 65535, -223)), /given 65535x65535/],
    [bytes(3, 0, 0, 0, ...u32(4_000_000_000)), /4000000000 bytes of text/],
    [update(rectangle(0, 0, 2, 1)), /it was closed/],
  ];
  for (const [said, message] of rows) {
    const line = new Spoken([V38, ...NONE, init(2, 1), said]);
    const client = await RfbClient.open(line, within());
    await t.rejects(client.fresh(within()), { code: 'CONSOLE_CLOSED', message });
    t.ok(line.closed);
  }
});

t.test('noise of any kind ends in a Fault, never in another error', async (t) => {
  let seed = 1;
  const noise = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return (seed >> 16) & 0xff;
  };
  for (let round = 0; round < 300; round++) {
    const rest = Buffer.from(Array.from({ length: 400 }, noise));
    // Half of them get as far as messages.
    if (round % 2 === 0) rest[0] = round % 4;
    const line = new Spoken([V38, ...NONE, init(2, 1), rest]);
    const client = await RfbClient.open(line, within());
    for (let look = 0; look < 3; look++) await client.fresh(within()).catch((error) => t.ok(error instanceof Fault));
    client.close();
  }
});

t.test('a server that says nothing more: the look ends by its deadline', async (t) => {
  const client = await RfbClient.open(new Spoken([V38, ...NONE, init(2, 1)], true), within());
  await t.rejects(client.look(within(30)), { code: 'CONSOLE_CLOSED', message: /a picture of the console: no answer/ });
  client.close();
});
