/** Writes a cpio archive in the "newc" format, as the kernel reads it for an initramfs. No root needed. */

export interface CpioEntry {
  /** Path without a leading slash. */
  readonly path: string;
  /** File type and permissions, as in `stat`. */
  readonly mode: number;
  /** Content of a file, target of a symbolic link; empty for a directory. */
  readonly content: Uint8Array;
}

const TRAILER = 'TRAILER!!!';

function padded(chunk: Uint8Array): Uint8Array[] {
  const rest = (4 - (chunk.length % 4)) % 4;
  return rest === 0 ? [chunk] : [chunk, new Uint8Array(rest)];
}

/** The archive's bytes, owner 0 and times 0: the same entries give the same bytes. */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const chunks: Uint8Array[] = [];
  const all = [...entries, { path: TRAILER, mode: 0, content: new Uint8Array(0) }];
  all.forEach((entry, index) => {
    const name = Buffer.from(`${entry.path}\0`);
    const inode = entry.path === TRAILER ? 0 : index + 1;
    // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
    const fields = [inode, entry.mode, 0, 0, 1, 0, entry.content.length, 0, 0, 0, 0, name.length, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
    chunks.push(...padded(Buffer.concat([Buffer.from(header), name])), ...padded(entry.content));
  });
  return Buffer.concat(chunks);
}
