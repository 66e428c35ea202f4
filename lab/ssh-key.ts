/** Makes an ed25519 key pair in OpenSSH's formats, without OpenSSH. */
import { generateKeyPairSync, randomInt } from 'node:crypto';

const TYPE = 'ssh-ed25519';
const CIPHER_BLOCK = 8;
const LINE = 70;

export interface SshKeyPair {
  /** The file as `ssh -i` takes it, without passphrase. */
  readonly privateKey: string;
  /** One line, as in `authorized_keys`. */
  readonly publicKey: string;
}

/** A string of the SSH protocol: length, then bytes. */
function field(bytes: Buffer | string): Buffer {
  const content = Buffer.from(bytes);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

export function makeSshKeyPair(comment: string): SshKeyPair {
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const [open, secret] = [Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')];
  const openBlob = Buffer.concat([field(TYPE), field(open)]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(randomInt(2 ** 32));
  const body = Buffer.concat([check, check, openBlob, field(Buffer.concat([secret, open])), field(comment)]);
  const missing = (CIPHER_BLOCK - (body.length % CIPHER_BLOCK)) % CIPHER_BLOCK;
  const padded = Buffer.concat([body, Buffer.from(Array.from({ length: missing }, (_, index) => index + 1))]);
  const count = Buffer.from([0, 0, 0, 1]);
  const blob = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    count,
    field(openBlob),
    field(padded),
  ]);
  const lines = blob.toString('base64').match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  return {
    privateKey: ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
    publicKey: `${TYPE} ${openBlob.toString('base64')} ${comment}`,
  };
}
