import {
  createHash,
  createHmac,
  timingSafeEqual,
  verify,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import type { Fingerprint } from "../contract.ts";

/**
 * The checks that prove the DTLS peer is who SDP named (RFC 8122 5, RFC 5246 7.4.8 and 7.4.9). werift makes none of
 * them.
 */

/** Hash functions a fingerprint may use and their lengths, bytes (RFC 8122 5; MD5 and SHA-1 are broken). */
const acceptedHashes: Readonly<Record<string, { readonly name: string; readonly bytes: number }>> = {
  "sha-256": { name: "sha256", bytes: 32 },
  "sha-384": { name: "sha384", bytes: 48 },
  "sha-512": { name: "sha512", bytes: 64 },
};

const minRsaBits = 2048;
const curves: ReadonlySet<string> = new Set(["prime256v1", "secp384r1", "secp521r1"]);

/** Our digest of a certificate in the form SDP wants: upper-case pairs with colons. */
export function fingerprintOf(der: Buffer): Fingerprint {
  const digest = createHash("sha256").update(der).digest("hex").toUpperCase();
  return { algorithm: "sha-256", value: digest.match(/../g)?.join(":") ?? "" };
}

/** The fingerprints that can be trusted: known algorithm, right length, only hex digits. */
export function usableFingerprints(fingerprints: readonly Fingerprint[]): Fingerprint[] {
  return fingerprints.filter(({ algorithm, value }) => {
    const hash = acceptedHashes[algorithm.toLowerCase()];
    return (
      hash !== undefined && value.length === hash.bytes * 3 - 1 && /^[0-9a-f]{2}(:[0-9a-f]{2})*$/i.test(value)
    );
  });
}

/** Whether the certificate has one of the fingerprints. */
export function certificateMatches(der: Buffer, fingerprints: readonly Fingerprint[]): boolean {
  return usableFingerprints(fingerprints).some(({ algorithm, value }) => {
    const hash = acceptedHashes[algorithm.toLowerCase()];
    if (hash === undefined) return false;
    const expected = Buffer.from(value.replaceAll(":", ""), "hex");
    return timingSafeEqual(createHash(hash.name).update(der).digest(), expected);
  });
}

/** Whether two lists name the same fingerprints, in any order and case. */
export function sameFingerprints(a: readonly Fingerprint[], b: readonly Fingerprint[]): boolean {
  const canonical = (list: readonly Fingerprint[]): string =>
    list
      .map(({ algorithm, value }) => `${algorithm} ${value}`.toUpperCase())
      .sort()
      .join();
  return canonical(a) === canonical(b);
}

/** The first certificate of a Certificate message's body (RFC 5246 7.4.2), or undefined when it has none. */
export function firstCertificate(body: Buffer): Buffer | undefined {
  if (body.length < 6 || body.readUIntBE(0, 3) !== body.length - 3) return undefined;
  const size = body.readUIntBE(3, 3);
  return size === 0 || 6 + size > body.length ? undefined : body.subarray(6, 6 + size);
}

/** The certificate's public key if it is of a kind and strength we take: ECDSA on a NIST curve, RSA from 2048 bits. */
export function certificateKey(der: Buffer): KeyObject | undefined {
  try {
    const key = new X509Certificate(der).publicKey;
    const details = key.asymmetricKeyDetails;
    if (key.asymmetricKeyType === "ec") return curves.has(details?.namedCurve ?? "") ? key : undefined;
    if (key.asymmetricKeyType === "rsa") return (details?.modulusLength ?? 0) >= minRsaBits ? key : undefined;
    return undefined;
  } catch {
    return undefined; // not a certificate
  }
}

/** Signature algorithms our CertificateRequest offers, by the key type each is for (RFC 5246 7.4.1.4.1). */
const signatureKeyTypes: Readonly<Record<number, string>> = { 0x0403: "ec", 0x0401: "rsa" };

/** Whether a CertificateVerify's body signs `transcript` with the certificate's key (RFC 5246 7.4.8). */
export function certificateVerifyIsRight(body: Buffer, key: KeyObject, transcript: Buffer): boolean {
  if (body.length < 4 || body.readUInt16BE(2) !== body.length - 4) return false;
  if (signatureKeyTypes[body.readUInt16BE(0)] !== key.asymmetricKeyType) return false;
  try {
    return verify("sha256", transcript, key, body.subarray(4));
  } catch {
    return false; // a signature that is no DER
  }
}

/** P_hash of RFC 5246 5 with SHA-256: `length` bytes. */
function prf(secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const labelled = Buffer.concat([Buffer.from(label, "ascii"), seed]);
  const parts: Buffer[] = [];
  let a: Buffer = labelled;
  for (let have = 0; have < length; have += 32) {
    a = createHmac("sha256", secret).update(a).digest();
    parts.push(createHmac("sha256", secret).update(a).update(labelled).digest());
  }
  return Buffer.concat(parts).subarray(0, length);
}

/** verify_data that a client's Finished must carry (RFC 5246 7.4.9), 12 bytes. */
export function clientVerifyData(masterSecret: Buffer, transcript: Buffer): Buffer {
  return prf(masterSecret, "client finished", createHash("sha256").update(transcript).digest(), 12);
}

/** Whether the client's Finished proves that it saw the same handshake and has the master secret. */
export function finishedIsRight(body: Buffer, masterSecret: Buffer, transcript: Buffer): boolean {
  return body.length === 12 && timingSafeEqual(body, clientVerifyData(masterSecret, transcript));
}
