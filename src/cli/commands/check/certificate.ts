import { X509Certificate } from "node:crypto";
import type { Config } from "../../../config/index.ts";
import { loadCertificate } from "../../../ws/index.ts";
import { errorCode, type CheckIo, type Report } from "./finding.ts";

const msPerDay = 86_400_000;
/** Certificates are renewed a month before they end; one nearer its end was forgotten. */
const warnDays = 30;

/** Reads certificate and key as the server would, and says when it ends and for which names it stands. */
export function checkCertificate({ http }: Config, io: CheckIo, report: Report): void {
  const key = "http.tls";
  if (!http.tls) {
    const what = `none: plain HTTP on ${http.host}`;
    if (http.host.startsWith("127.")) return report({ level: "ok", key, what });
    return report({
      level: "warn",
      key,
      what: `${what}, allowed by http.allowInsecure`,
      mend: "make sure that a proxy in front ends TLS",
    });
  }
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(
      loadCertificate({ certFile: http.tls.cert, keyFile: http.tls.key }).cert,
    );
  } catch (error) {
    const mend = "give the PEM files of one certificate (with its chain) and of its own private key";
    return report({
      level: "fail",
      key,
      what: error instanceof Error ? error.message : errorCode(error),
      mend,
    });
  }
  const names = certificate.subjectAltName?.replaceAll(/DNS:|IP Address:/g, "") ?? "";
  checkDates(certificate, io.clock.wallClock(), names, report);
  if (names === "")
    report({
      level: "warn",
      key,
      what: "names no host (subjectAltName)",
      mend: "browsers refuse it: make one with names",
    });
  if (certificate.issuer === certificate.subject)
    report({
      level: "warn",
      key,
      what: "is self-signed",
      mend: "make the agents' browsers trust it, or get one from a CA",
    });
}

function checkDates(certificate: X509Certificate, now: number, names: string, report: Report): void {
  const key = "http.tls.cert";
  const end = certificate.validTo;
  const days = Math.floor((Date.parse(end) - now) / msPerDay);
  const mend = "renew it; the running gateway reads new files by itself";
  if (Date.parse(certificate.validFrom) > now)
    report({
      level: "fail",
      key,
      what: `is valid only from ${certificate.validFrom}`,
      mend: "look at the clock, or renew it",
    });
  else if (days < 0) report({ level: "fail", key, what: `ended ${end}`, mend });
  else if (days < warnDays) report({ level: "warn", key, what: `ends in ${days} days, ${end}`, mend });
  else report({ level: "ok", key, what: `for ${names || "no host"}, ends in ${days} days` });
}
