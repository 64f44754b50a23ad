import { spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../../src/core/index.ts";
import { createCertificate, DtlsEndpoint, type DtlsSrtpKeys } from "../../../src/media/dtls/index.ts";

/** `openssl` missing is the only reason not to run. */
const installed = spawnSync("openssl", ["version"]).status === 0;

interface Result {
  readonly keys: DtlsSrtpKeys | undefined;
  readonly failure: string | undefined;
  readonly output: string;
}

/** Runs `openssl s_client` against an endpoint on a loopback port until one side knows how it ended. */
async function runOpenssl(args: readonly string[], shown: "right" | "wrong"): Promise<Result> {
  const [ours, client, other] = await Promise.all([
    createCertificate(),
    createCertificate(),
    createCertificate(),
  ]);
  const folder = mkdtempSync(join(tmpdir(), "jackfield-dtls-"));
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => {
    socket.bind(0, "127.0.0.1", resolve);
  });
  writeFileSync(join(folder, "cert.pem"), client.certPem);
  writeFileSync(join(folder, "key.pem"), client.keyPem);
  let to: { address: string; port: number } | undefined;
  let ended: (result: Omit<Result, "output">) => void = () => {};
  const end = new Promise<Omit<Result, "output">>((resolve) => (ended = resolve));
  const endpoint = new DtlsEndpoint({
    certificate: ours,
    clock: systemClock,
    random: systemRandom,
    remoteFingerprints: [(shown === "right" ? client : other).fingerprint],
    send: (datagram) => to && socket.send(datagram, to.port, to.address),
    onKeys: (keys) => ended({ keys, failure: undefined }),
    onFailure: (failure) => ended({ keys: undefined, failure }),
  });
  socket.on("message", (packet, from) => {
    to = from;
    endpoint.receive(packet);
  });
  const identity = ["-cert", join(folder, "cert.pem"), "-key", join(folder, "key.pem")];
  const exported = ["-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "60"];
  const connect = ["-connect", `127.0.0.1:${socket.address().port}`];
  const child = spawn("openssl", ["s_client", "-dtls1_2", ...connect, ...identity, ...exported, ...args]);
  let output = "";
  const complete = new Promise<void>((resolve) => {
    child.on("close", () => resolve());
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("Keying material:")) resolve();
    });
  });
  const result = await end;
  await complete;
  child.kill();
  endpoint.close();
  socket.close();
  rmSync(folder, { recursive: true });
  return { ...result, output };
}

describe.skipIf(!installed)("openssl s_client (skipped only where openssl is not installed)", () => {
  it.each([
    ["SRTP_AES128_CM_SHA1_80", 1, 14],
    ["SRTP_AEAD_AES_128_GCM", 7, 12],
  ] as const)("connects with %s and exports the same keys", async (name, profile, saltBytes) => {
    const { keys, output } = await runOpenssl(["-use_srtp", name], "right");
    expect(keys?.profile).toBe(profile);
    expect(output).toContain(`SRTP Extension negotiated, profile=${name}`);
    const material = Buffer.from(/Keying material: ([0-9A-F]+)/.exec(output)?.[1] ?? "", "hex");
    // client key, server key, client salt, server salt (RFC 5764 4.2)
    expect(keys?.remote.key).toEqual(material.subarray(0, 16));
    expect(keys?.local.key).toEqual(material.subarray(16, 32));
    expect(keys?.remote.salt).toEqual(material.subarray(32, 32 + saltBytes));
    expect(keys?.local.salt).toEqual(material.subarray(32 + saltBytes, 32 + 2 * saltBytes));
  });

  it("connects over a path that takes only small packets, so with fragmented messages", async () => {
    const { keys } = await runOpenssl(["-use_srtp", "SRTP_AES128_CM_SHA1_80", "-mtu", "256"], "right");
    expect(keys?.profile).toBe(1);
  });

  it("is refused when its certificate is not the signalled one", async () => {
    const { failure } = await runOpenssl(["-use_srtp", "SRTP_AES128_CM_SHA1_80"], "wrong");
    expect(failure).toBe("the peer's certificate does not match the fingerprint of its SDP");
  });

  it("is refused without use_srtp", async () => {
    const { failure } = await runOpenssl([], "right");
    expect(failure).toBe("ClientHello refused: no common SRTP profile");
  });
});
