/** GPT out of od's text: both sector sizes, damaged headers, cut dumps. */
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { readGpt } from '../../../harness/guest/gpt-dump.ts';

function disk(sector: number, change: (bytes: Buffer) => void = () => undefined): Buffer {
  const bytes = Buffer.alloc(24_576);
  bytes.write('EFI PART', sector, 'latin1');
  Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex').copy(bytes, sector + 56);
  bytes.writeBigUInt64LE(2n, sector + 72);
  bytes.writeUInt32LE(128, sector + 80);
  bytes.writeUInt32LE(128, sector + 84);
  const entry = (i: number, guid: string): void => {
    bytes.fill(0xee, 2 * sector + i * 128, 2 * sector + i * 128 + 16);
    Buffer.from(guid, 'hex').copy(bytes, 2 * sector + i * 128 + 16);
  };
  entry(0, '101112131415161718191a1b1c1d1e1f');
  entry(5, '202122232425262728292a2b2c2d2e2f');
  change(bytes);
  return bytes;
}
const od = (bytes: Buffer): string => spawnSync('od', ['-Ax', '-tx1'], { input: bytes, encoding: 'utf8' }).stdout;

t.test('a table with 512 and with 4096 bytes a sector', async (t) => {
  for (const sector of [512, 4096]) {
    t.strictSame(readGpt(od(disk(sector))), {
      state: 'gpt',
      diskGuid: '03020100-0504-0706-0809-0a0b0c0d0e0f',
      partitionGuids: ['13121110-1514-1716-1819-1a1b1c1d1e1f', '23222120-2524-2726-2829-2a2b2c2d2e2f'],
    });
  }
});

t.test('no table, and tables that cannot be', async (t) => {
  t.match(readGpt(od(Buffer.alloc(24_576))), { state: 'none', reason: 'no GPT' });
  t.match(readGpt(od(disk(512, (bytes) => bytes.writeUInt32LE(4096, 512 + 80)))), {
    state: 'none',
    reason: /damaged GPT: 4096/,
  });
  t.match(readGpt(od(disk(512, (bytes) => bytes.writeUInt32LE(64, 512 + 84)))), {
    state: 'none',
    reason: /of 64 bytes/,
  });
  t.match(readGpt(od(disk(512, (bytes) => bytes.writeBigUInt64LE(1n << 40n, 512 + 72)))), {
    state: 'unreadable',
    reason: /beyond/,
  });
});

t.test('dumps that are cut or garbled', async (t) => {
  const text = od(disk(512));
  t.match(readGpt(''), { state: 'unreadable' });
  t.match(readGpt('000000'), { state: 'unreadable' });
  t.match(readGpt(text.split('\n').slice(0, -2).join('\n')), { state: 'unreadable' }, 'no final length');
  t.match(readGpt(text.replace('000200', '000210')), { state: 'unreadable' }, 'an offset that does not fit');
  t.match(readGpt(text.replace('45 46 49', '45 zz 49')), { state: 'unreadable' }, 'a byte that is none');
  t.match(readGpt(`${text}000000 00\n`), { state: 'unreadable' }, 'more after the end');
  t.match(readGpt('000000 00\n*\nffffffff\n'), { state: 'unreadable' }, 'a length that would fill the memory');
  t.match(readGpt(od(Buffer.alloc(600))), { state: 'unreadable', reason: /^only 600 bytes/ });
});
