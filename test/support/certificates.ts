import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate with its key: PEM texts, and the files they stand in. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate authority of a test's own, made by openssl in a folder that `remove` deletes. */
export class TestAuthority {
  readonly folder = mkdtempSync(join(tmpdir(), "jackfield-ca-"));
  readonly ca: TestCertificate;

  constructor() {
    this.ca = this.#read("ca");
    openssl(
      "req",
      "-x509",
      ...newKey,
      "-keyout",
      this.ca.keyFile,
      "-out",
      this.ca.certFile,
      "-days",
      "2",
      "-subj",
      "/CN=Test CA",
    );
    this.ca = this.#read("ca");
  }

  /** `names` as subjectAltName has them: `IP:127.0.0.1`, `DNS:sips.example.com`. */
  issue(name: string, names: string): TestCertificate {
    const { certFile, keyFile } = this.#read(name);
    const request = join(this.folder, `${name}.csr`);
    const extensions = join(this.folder, `${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    openssl("req", "-new", ...newKey, "-keyout", keyFile, "-out", request, "-subj", `/CN=${name}`);
    const authority = ["-CA", this.ca.certFile, "-CAkey", this.ca.keyFile, "-CAcreateserial"];
    openssl(
      "x509",
      "-req",
      "-in",
      request,
      ...authority,
      "-out",
      certFile,
      "-days",
      "2",
      "-extfile",
      extensions,
    );
    return this.#read(name);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #read(name: string): TestCertificate {
    const certFile = join(this.folder, `${name}.pem`);
    const keyFile = join(this.folder, `${name}.key`);
    const read = (file: string): string => {
      try {
        return readFileSync(file, "utf8");
      } catch {
        return "";
      }
    };
    return { cert: read(certFile), key: read(keyFile), certFile, keyFile };
  }
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: "ignore" });
}
