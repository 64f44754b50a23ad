import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { randomId, type Random } from "../../core/index.ts";
import { authorityName } from "./names.ts";

/** Both browsers' rules and Apple's (825 days) are kept; shorter would ask agents for their trust more often. */
const validDays = 730;

const dayMs = 24 * 60 * 60 * 1000;
/** PCs whose clock is a little slow. */
const backMs = dayMs;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const serverAuth = x509.ExtendedKeyUsage.serverAuth;

/** PEM texts. */
export interface MadeCertificate {
  readonly cert: string;
  /** PKCS #8; SECRET. */
  readonly key: string;
  /** What browsers are told to trust. Its key was never written and is gone. */
  readonly authority: string;
}

/**
 * A certificate for localhost, 127.0.0.1 and ::1, signed by an authority made for it alone (docs/decisions/0029-bridge-install.md).
 * @param now milliseconds since 1970-01-01 UTC
 */
export async function makeCertificate(now: number, random: Random): Promise<MadeCertificate> {
  const period = { notBefore: new Date(now - backMs), notAfter: new Date(now + validDays * dayMs) };
  const issuer = `CN=${authorityName} ${randomId(random, 4)}`;
  // Not extractable: the key cannot leave this function, not even by a core dump of the caller's making.
  const authorityKeys = await newKeys(false);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...period,
    serialNumber: serial(random),
    name: issuer,
    keys: authorityKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      new x509.ExtendedKeyUsageExtension([serverAuth], false),
      new x509.Extension(nameConstraintsOid, true, loopbackAlone),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  const keys = await newKeys(true);
  const cert = await x509.X509CertificateGenerator.create({
    ...period,
    serialNumber: serial(random),
    subject: "CN=localhost",
    issuer,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([serverAuth], false),
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: "localhost" },
        { type: "ip", value: "127.0.0.1" },
        { type: "ip", value: "::1" },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    cert: `${cert.toString("pem")}\n`,
    key: `${x509.PemConverter.encode(key, "PRIVATE KEY")}\n`,
    authority: `${authority.toString("pem")}\n`,
  };
}

type Keys = x509.X509CertificateCreateSelfSignedParams["keys"];

async function newKeys(extractable: boolean): Promise<Keys> {
  // Node's type knows of more usages than the library's.
  return (await webcrypto.subtle.generateKey(algorithm, extractable, ["sign", "verify"])) as Keys;
}

/** Positive, 127 bits. */
function serial(random: Random): string {
  const bytes = random.bytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

const nameConstraintsOid = "2.5.29.30";

/** NameConstraints (RFC 5280 4.2.1.10), permitted: DNS localhost, IP 127.0.0.1/32 and ::1/128. The library has no class for it. */
const loopbackAlone = der(
  0x30,
  der(
    0xa0,
    Buffer.concat([
      der(0x30, der(0x82, Buffer.from("localhost"))),
      der(0x30, der(0x87, Buffer.from("7f000001ffffffff", "hex"))),
      der(0x30, der(0x87, Buffer.from(`${"00".repeat(15)}01${"ff".repeat(16)}`, "hex"))),
    ]),
  ),
);

/** One value of less than 128 bytes. */
function der(tag: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}
