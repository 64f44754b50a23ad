import { createCipheriv } from "node:crypto";

/** Labels of the session keys (RFC 3711 4.3.1 and 4.3.2). */
export const keyLabels = {
  rtpEncryption: 0x00,
  rtpAuthentication: 0x01,
  rtpSalt: 0x02,
  rtcpEncryption: 0x03,
  rtcpAuthentication: 0x04,
  rtcpSalt: 0x05,
} as const;

export type KeyLabel = (typeof keyLabels)[keyof typeof keyLabels];

/**
 * A session key from the master key and salt, key derivation rate 0 (RFC 3711 4.3.3: AES-CM as PRF). A salt shorter
 * than 14 bytes (GCM's 12) counts as padded with zeros on the right (RFC 7714 11).
 */
export function deriveSessionKey(
  masterKey: Buffer,
  masterSalt: Buffer,
  label: KeyLabel,
  length: number,
): Buffer {
  const iv = Buffer.alloc(16);
  masterSalt.copy(iv, 0, 0, Math.min(14, masterSalt.length));
  iv.writeUInt8(iv.readUInt8(7) ^ label, 7);
  const cipher = createCipheriv("aes-128-ctr", masterKey, iv);
  return cipher.update(Buffer.alloc(length));
}
