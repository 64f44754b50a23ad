import { execFileSync, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:https";
import { isIP, type AddressInfo } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import * as x509 from "@peculiar/x509";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadCertificate, loadOrMakeCertificate } from "../../../src/bridge/certificate/certificate.ts";
import { silentLogger, systemRandom } from "../../../src/core/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { newFolder } from "../support/pc.ts";

const dayMs = 86_400_000;
const surroundings = (now = Date.now()) => ({
  clock: new FakeClock(now),
  random: systemRandom,
  log: silentLogger,
});

describe("the bridge's certificate", () => {
  it("is made once, for localhost, 127.0.0.1 and ::1, for servers, for two years at most, its key for its owner alone", async () => {
    const folder = join(newFolder(), "certificate");
    const made = await loadOrMakeCertificate(folder, surroundings());
    const parsed = new X509Certificate(made.cert);
    expect(parsed.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
    expect(parsed.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(parsed.ca).toBe(false);
    expect(parsed.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
    const days = (Date.parse(parsed.validTo) - Date.parse(parsed.validFrom)) / dayMs;
    expect([days > 700, days <= 2 * 366]).toEqual([true, true]);
    expect(made.expiresAt).toBe(Date.parse(parsed.validTo));
    expect(statSync(join(folder, "localhost.pem")).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const again = await loadOrMakeCertificate(folder, surroundings());
    expect(again).toEqual(made);
    expect(loadCertificate(folder)).toEqual(made);
  });

  it("is signed by an authority that may sign for this PC alone, whose key is nowhere", async () => {
    const folder = newFolder();
    const { authority, cert } = await loadOrMakeCertificate(folder, surroundings());
    const ca = new X509Certificate(authority.pem);
    expect(ca.ca).toBe(true);
    expect(new X509Certificate(cert).verify(ca.publicKey)).toBe(true);
    expect(ca.fingerprint.replaceAll(":", "")).toBe(authority.sha1);
    const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    expect(texts.join("").match(/BEGIN [A-Z ]*KEY/g)).toEqual(["BEGIN PRIVATE KEY"]);
    expect(new X509Certificate(cert).publicKey.equals(ca.publicKey)).toBe(false);
  });

  it("has an authority that even with its key could sign for servers of these three names alone", async () => {
    const { authority } = await loadOrMakeCertificate(newFolder(), surroundings());
    const said = execFileSync("openssl", ["x509", "-noout", "-text"], {
      input: authority.pem,
      encoding: "utf8",
    });
    expect(said).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0\s/);
    expect(said).toMatch(/Extended Key Usage:\s+TLS Web Server Authentication\s/);
    const constraints = /Name Constraints: critical\s+Permitted:\s+([^]*?)\s+X509v3/.exec(said)?.[1] ?? "";
    expect(constraints.split(/\s+/)).toEqual([
      "DNS:localhost",
      "IP:127.0.0.1/255.255.255.255",
      `IP:0:0:0:0:0:0:0:1/${Array(8).fill("FFFF").join(":")}`,
    ]);
  });

  it.each([
    ["localhost", "DNS:localhost,IP:127.0.0.1,IP:::1", "OK"],
    ["another name", "DNS:gateway.example.com", "permitted subtree violation"],
    ["a name that ends so", "DNS:localhost.example.com", "permitted subtree violation"],
    ["another address", "IP:192.0.2.1", "permitted subtree violation"],
  ])("has constraints that OpenSSL holds an authority to: %s", async (_what, names, said) => {
    const folder = newFolder();
    const { authority } = await loadOrMakeCertificate(folder, surroundings());
    const file = (name: string): string => join(folder, name);
    const openssl = (...args: readonly string[]): string => {
      const { stdout, stderr } = spawnSync("openssl", args, { cwd: folder, encoding: "utf8" });
      return stdout + stderr;
    };
    // The same extension, byte for byte, in an authority whose key is here.
    const { extensions } = new x509.X509Certificate(authority.pem);
    const constraints = extensions.find(({ type }) => type === "2.5.29.30");
    const hex = Buffer.from(constraints?.value ?? new ArrayBuffer(0)).toString("hex");
    writeFileSync(
      file("conf"),
      `[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE,pathlen:0\n2.5.29.30=critical,DER:${hex}\n[leaf]\nsubjectAltName=${names}\n`,
    );
    const made = ["-config", "conf", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    openssl(
      "req",
      "-x509",
      ...made,
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-subj",
      "/CN=ca",
      "-extensions",
      "ca",
    );
    openssl("req", ...made, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/O=leaf");
    const signs = ["-CA", "ca.pem", "-CAkey", "ca.key", "-extfile", "conf", "-extensions", "leaf"];
    openssl("x509", "-req", "-in", "leaf.csr", ...signs, "-out", "leaf.pem");
    expect(openssl("verify", "-CAfile", "ca.pem", "leaf.pem")).toContain(said);
  });

  it("is what a TLS client takes that knows the authority, by each of the three names, and takes for no other", async () => {
    const { cert, key, authority } = await loadOrMakeCertificate(newFolder(), surroundings());
    const server = createServer({ cert, key });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const judged = (name: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect({ port, host: "127.0.0.1", ca: authority.pem, servername: "localhost" });
        socket.once("error", (error) => resolve(error.message));
        socket.once("secureConnect", () => {
          const shown = new X509Certificate(socket.getPeerCertificate().raw);
          resolve((isIP(name) === 0 ? shown.checkHost(name) : shown.checkIP(name)) ?? "another name");
          socket.destroy();
        });
      });
    expect(await judged("localhost")).toBe("localhost");
    expect(await judged("127.0.0.1")).toBe("127.0.0.1");
    expect(await judged("::1")).toBe("::1");
    expect(await judged("gateway.example.com")).toBe("another name");
  });

  it("is made anew 30 days before it expires, and names the authority that it replaces", async () => {
    const folder = newFolder();
    const first = await loadOrMakeCertificate(folder, surroundings());
    expect(await loadOrMakeCertificate(folder, surroundings(first.expiresAt - 31 * dayMs))).toEqual(first);
    const around = surroundings(first.expiresAt - 29 * dayMs);
    const second = await loadOrMakeCertificate(folder, around);
    expect(second.expiresAt).toBeGreaterThan(first.expiresAt + 600 * dayMs);
    expect(second.replaced?.sha1).toBe(first.authority.sha1);
    expect(second.replaced).toEqual(first.authority);
    expect(second.authority.sha1).not.toBe(first.authority.sha1);
    expect((await loadOrMakeCertificate(folder, around)).replaced).toBeUndefined();
  });

  it("is made anew where its file is cut off, foreign or gone", async () => {
    const folder = newFolder();
    const around = surroundings();
    const first = await loadOrMakeCertificate(folder, around);
    const file = join(folder, "localhost.pem");
    const whole = readFileSync(file, "utf8");
    const other = await loadOrMakeCertificate(newFolder(), around);
    const foreignKey = whole.replace(first.key, other.key);
    for (const text of [whole.slice(0, 300), "", "nothing", foreignKey]) {
      writeFileSync(file, text);
      const made = await loadOrMakeCertificate(folder, around);
      expect(made.fingerprint256).not.toBe(first.fingerprint256);
    }
    rmSync(file);
    expect(loadCertificate(folder)).toBeUndefined();
    expect((await loadOrMakeCertificate(folder, around)).replaced).toBeUndefined();
  });

  it("whose file others could read is theirs no longer", async () => {
    const folder = newFolder();
    await loadOrMakeCertificate(folder, surroundings());
    const file = join(folder, "localhost.pem");
    chmodSync(file, 0o644);
    loadCertificate(folder);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("writes its key through no link that lies in its place", async () => {
    const folder = newFolder();
    const elsewhere = join(newFolder(), "elsewhere");
    writeFileSync(elsewhere, "theirs", { mode: 0o644 });
    symlinkSync(elsewhere, join(folder, "localhost.pem.new"));
    await loadOrMakeCertificate(folder, surroundings());
    expect(readFileSync(elsewhere, "utf8")).toBe("theirs");
    expect(lstatSync(join(folder, "localhost.pem")).mode & 0o170_777).toBe(0o100_600);
  });

  it("that cannot be renewed serves until it expires", async () => {
    const folder = newFolder();
    const first = await loadOrMakeCertificate(folder, surroundings());
    // Nothing can be written where a folder has the file's name.
    mkdirSync(join(folder, "localhost.pem.new"));
    expect(await loadOrMakeCertificate(folder, surroundings(first.expiresAt - dayMs))).toEqual(first);
    const expired = loadOrMakeCertificate(folder, surroundings(first.expiresAt + 1));
    await expect(expired).rejects.toThrow("EISDIR");
  });
});
