/** A disk that is to be made, and what the XAPI says where the SR has no room for it. */
import { XapiError } from './errors.ts';

export interface NewDisk {
  readonly nameLabel: string;
  readonly nameDescription?: string | undefined;
  /** Bytes; rounded up. */
  readonly size: number;
}

export function noSpaceFor(disk: NewDisk, srRef: string): XapiError {
  return new XapiError('SR_BACKEND_FAILURE_44', ['', 'There is insufficient space', ''], {
    method: 'VDI.create',
    params: [
      {
        name_label: disk.nameLabel,
        ...(disk.nameDescription === undefined ? {} : { name_description: disk.nameDescription }),
        other_config: {},
        read_only: false,
        sharable: false,
        SR: srRef,
        type: 'user',
        virtual_size: disk.size,
      },
    ],
  });
}
