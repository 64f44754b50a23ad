import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../house/support/files.ts";
import { BrowserDouble } from "../support/browser-double.ts";
import { framesOf } from "../support/browser-media.ts";
import { toCodes, voice } from "../support/sound.ts";
import { paced, until } from "../interop/support/rtp-phone.ts";
import { buildImages, gatewayImage, registry, sandboxImage } from "./support/images.ts";
import { noEngine, Podman } from "./support/podman.ts";
import { Site } from "./support/site.ts";

const reason = noEngine();
if (reason !== undefined) console.log(`container tests are skipped: ${reason}`);

const minutes = 60_000;

describe.skipIf(reason !== undefined)("the container image", () => {
  let podman: Podman;
  let files: string;
  let site: Site;

  beforeAll(async () => {
    const begin = performance.now();
    podman = Podman.open();
    await buildImages(podman);
    files = await podman.run("image", "mount", gatewayImage);
    site = await Site.create(podman);
    await site.open();
    console.log(`built and started within ${Math.round((performance.now() - begin) / 1000)} s`);
  }, 8 * minutes);

  afterAll(() => {
    site.close();
    podman.try("image", "unmount", gatewayImage);
  });

  const under = (folder: string): string[] =>
    readdirSync(join(files, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));

  it("holds what runs: no npm, no compiler, no tests, types, source maps or sandbox; its size is told", async () => {
    const own = under("app");
    const strays =
      /\.(?:map|d\.ts|md)$|^app\/(?:test|bench|docs|src\/sandbox)|\/\.(?:npmrc|package-lock\.json)$/;
    expect(own.filter((name) => strays.test(name) && !name.startsWith("app/web/"))).toEqual([]);
    expect(own).toEqual(
      expect.arrayContaining(["app/web/dist/index.html", "app/src/main.ts", "app/LICENSE"]),
    );
    const programs = ["usr/bin", "usr/sbin", "usr/local/bin"].flatMap((folder) => under(folder));
    expect(
      programs.filter((name) => /\/(?:npm|npx|corepack|yarn|gcc|cc|make|git|python\d?)$/.test(name)),
    ).toEqual([]);
    const bytes = Number(await podman.run("image", "inspect", "--format", "{{.Size}}", gatewayImage));
    const ours = own.reduce((sum, name) => sum + (statSync(join(files, name)).size || 0), 0);
    const node = statSync(join(files, "usr/local/bin/node")).size;
    const megabytes = (value: number): string => `${Math.round(value / 1e6)} MB`;
    console.log(
      `image: ${megabytes(bytes)}; Node ${megabytes(node)}, Jackfield and its packages ${megabytes(ours)}, the rest is the base`,
    );
    expect(ours).toBeLessThan(80e6);
  });

  it("says what it is, and what is in it", async () => {
    const [image]: unknown[] = JSON.parse(await podman.run("image", "inspect", gatewayImage));
    expect(image).toMatchObject({
      Labels: {
        "org.opencontainers.image.version": version(),
        "org.opencontainers.image.revision": "test",
        "org.opencontainers.image.licenses": "MIT",
        "jackfield.sbom": "/app/sbom.cdx.json",
      },
      Config: { User: "10001:10001", StopSignal: "SIGTERM" },
    });
    expect(JSON.stringify(image)).toContain('"health"');
    const sbom: unknown = JSON.parse(readFileSync(join(files, "app", "sbom.cdx.json"), "utf8"));
    expect(sbom).toMatchObject({ bomFormat: "CycloneDX" });
    expect(JSON.stringify(sbom)).toContain('"pkg:npm/werift@');
    expect(JSON.stringify(sbom)).not.toContain('"pkg:npm/vitest@');
  });

  it("tells of no registry, no secret of the build and no folder of this machine, in files and in its history", async () => {
    const told = await podman.run("history", "--no-trunc", "--format", "{{.CreatedBy}}", gatewayImage);
    const { host } = new URL(registry());
    const words = [root, ...(host === "registry.npmjs.org" ? [] : [host])];
    const texts = under("app")
      .filter((name) => /\.(?:js|json|ts|html|cjs|mjs|ya?ml)$/.test(name))
      .filter((name) => statSync(join(files, name)).isFile())
      .map((name) => readFileSync(join(files, name), "utf8"));
    expect(texts.length).toBeGreaterThan(500);
    for (const word of words) expect([told, ...texts].filter((text) => text.includes(word))).toEqual([]);
    expect(readdirSync(join(files, "root")).filter((name) => name.startsWith(".npm"))).toEqual([]);
  });

  it("is asked for its health by the command that HEALTHCHECK runs, over TLS that nobody signed", () => {
    expect(site.health()).toEqual({ code: 0, out: '{"status":"ok"}\n' });
    expect(site.health("--ready")).toEqual({ code: 0, out: '{"status":"ok"}\n' });
    expect(
      podman.try("exec", site.gateway, "sh", "-c", "JACKFIELD__HTTP__PORT=9 node bin/jackfield.js health")
        .code,
    ).toBe(1);
  });

  it("carries a call: an agent dials the echo of the sandbox image and hears himself", async () => {
    const agent = await BrowserDouble.signIn({
      url: site.url,
      dn: "5001",
      codec: "pcmu",
      allowEvents: "x-jackfield-trunk",
    });
    try {
      await agent.trunkState("in-service");
      const call = await agent.dial("9196");
      await call.when("answered");
      await call.connected;
      // G.711 all the way, so what comes back is what was sent, to the byte.
      const frames = framesOf(toCodes(voice(2), "pcmu"));
      await paced(frames.length, (index) => call.media.sendFrame(frames[index] ?? Buffer.alloc(0)));
      const echoed = (): number => {
        const heard = Buffer.concat(call.media.received.map(({ payload }) => payload));
        return frames.filter((frame) => heard.includes(frame)).length;
      };
      await until("most of it echoed", () => echoed() > 0.8 * frames.length);
      call.hangUp();
    } finally {
      await agent.close();
    }
  });

  it("runs as a user that is not root, with no capability, and writes nothing to its root", async () => {
    const status = podman.try("exec", site.gateway, "cat", "/proc/1/status").out;
    expect(status).toMatch(/^Uid:\t10001\t10001\t10001\t10001$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    const changed = (await podman.run("diff", site.gateway)).split("\n");
    // What podman makes for what is mounted.
    expect(
      changed.filter(
        (line) => !/^[AC] \/(?:etc(?:\/jackfield)?|var(?:\/lib)?|run|dev|proc|sys)(?:\/|$)/.test(line),
      ),
    ).toEqual([]);
    expect(podman.try("exec", site.gateway, "touch", "/app/x").code).not.toBe(0);
    expect(podman.try("exec", site.gateway, "touch", "/var/lib/jackfield/x").code).toBe(0);
  });

  it("ends by SIGTERM, with 0 and in time", async () => {
    const begin = performance.now();
    await podman.run("stop", "--time", "20", site.gateway);
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(await podman.run("inspect", "--format", "{{.State.ExitCode}}", site.gateway)).toBe("0");
  });

  it("has a sandbox only in the image made for it", async () => {
    const run = [
      "run",
      "--rm",
      "--network",
      "none",
      "--ulimit",
      "nofile=4096:4096",
      "--ulimit",
      "nproc=4096:4096",
    ];
    const refused = podman.try(...run, gatewayImage, "sandbox");
    expect(refused).toMatchObject({ code: 1, out: expect.stringContaining("--target sandbox") });
    const [sandbox]: unknown[] = JSON.parse(await podman.run("image", "inspect", sandboxImage));
    expect(sandbox).toMatchObject({ Config: { User: "10001:10001", Cmd: ["sandbox"] } });
  });
});

function version(): string {
  return /"version": "([^"]+)"/.exec(readFileSync(join(root, "package.json"), "utf8"))?.[1] ?? "none";
}
