import { createSecretKey } from "node:crypto";
import { encodeStun, stunAttributes, type StunAttribute } from "../../../src/media/ice/stun.ts";

export interface CheckOptions {
  readonly ufrag: string;
  readonly remote?: string;
  readonly pwd?: string | undefined;
  readonly useCandidate?: boolean;
  readonly extra?: readonly StunAttribute[];
  readonly type?: number;
}

let counter = 0;

/** A connectivity check as a browser sends it; `pwd` undefined leaves MESSAGE-INTEGRITY out. */
export function makeCheck({
  ufrag,
  remote = "brow",
  pwd,
  useCandidate,
  extra = [],
  type = 1,
}: CheckOptions): Buffer {
  const id = Buffer.alloc(12);
  id.writeUInt32BE(++counter, 8);
  const attributes: StunAttribute[] = [
    { type: stunAttributes.username, value: Buffer.from(`${ufrag}:${remote}`) },
    { type: stunAttributes.iceControlling, value: Buffer.alloc(8, 7) },
    { type: stunAttributes.priority, value: Buffer.from([110, 0, 1, 255]) },
    ...(useCandidate ? [{ type: stunAttributes.useCandidate, value: Buffer.alloc(0) }] : []),
    ...extra,
  ];
  return encodeStun(type, id, attributes, pwd === undefined ? undefined : createSecretKey(Buffer.from(pwd)));
}
