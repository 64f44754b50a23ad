import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { BrowserMedia } from "../support/browser-media.ts";
import { openTestGateway, openTestSandbox, testPassword } from "../support/test-gateway.ts";

const page = "https://agents.example.com";
let sandbox: Sandbox;
let gateway: Gateway;
const medias: BrowserMedia[] = [];
beforeAll(async () => {
  sandbox = await openTestSandbox();
  gateway = await openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    config: { wrtc: { enabled: true, origins: [page], expirySeconds: 15 } },
  });
});
afterAll(async () => {
  await gateway.close("test is over");
  await sandbox.close();
});
afterEach(async () => {
  await Promise.all(medias.splice(0).map((media) => media.close()));
  await expect.poll(() => gateway.counts).toMatchObject({ calls: 0, mediaSessions: 0, signedIn: 0 });
});

/** A client of the simple variant, as a page with nothing but fetch would be one. */
class Page {
  readonly dn: string;
  readonly id: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(dn: string, headers: Readonly<Record<string, string>> = {}) {
    this.dn = dn;
    this.id = `${dn}-${crypto.randomUUID()}`;
    this.#headers = headers;
  }

  async ask(path: string, body?: string, headers = this.#headers): Promise<Response> {
    return await fetch(`http://127.0.0.1:${gateway.httpPort}/api/webrtc/${path}`, {
      headers,
      ...(body === undefined ? {} : { method: "POST", body }),
    });
  }

  async signIn(): Promise<this> {
    const { id, dn } = this;
    const answer = await this.ask("sign_in", JSON.stringify({ id, dn, password: testPassword(dn) }));
    expect([answer.status, await answer.text()]).toEqual([200, "OK"]);
    return this;
  }

  async post(body: string, to = ""): Promise<number> {
    return (await this.ask(`message?from=${this.id}${to && `&to=${to}`}`, body)).status;
  }

  /** Polls until something is there. */
  async read(): Promise<{ event: string | null; peer: string | null; sdp: string; error: string | null }> {
    for (;;) {
      const answer = await this.ask(`message?id=${this.id}`);
      const sdp = await answer.text();
      const { headers } = answer;
      const [event, peer, error] = ["x-wrtc-event", "pragma", "x-wrtc-error"].map((name) =>
        headers.get(name),
      );
      if (answer.status === 200)
        return { event: event ?? null, peer: peer ?? null, sdp, error: error ?? null };
      expect(answer.status).toBe(204);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async signOut(): Promise<void> {
    const answer = await this.ask(`sign_out?id=${this.id}`);
    expect([answer.status, await answer.text()]).toEqual([200, "OK"]);
  }
}

async function mediaOf(codec: "opus" | "pcmu"): Promise<BrowserMedia> {
  const media = await BrowserMedia.create(codec);
  medias.push(media);
  return media;
}

/** Talks until so many of its own frames came back. */
async function talk(media: BrowserMedia, frames = 10): Promise<void> {
  const said = new Set<string>();
  const heard = (): number =>
    media.received.filter(({ payload }) => said.has(payload.toString("hex"))).length;
  for (let count = 0; heard() < frames; count++) {
    if (count > 500) throw new Error("nothing comes back");
    // Opus: one frame of 20 ms, narrowband.
    const frame = Buffer.alloc(160, 1 + (count % 200)).fill(0x08, 0, 1);
    said.add(frame.toString("hex"));
    media.sendFrame(frame);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Requests that SIP Server has had. */
const invites = (): number => sandbox.trace().filter(({ text }) => text.startsWith("INVITE ")).length;

it.each(["opus", "pcmu"] as const)(
  "hears itself by to=self in %s, and SIP Server hears nothing",
  async (codec) => {
    const client = await new Page(codec === "opus" ? "5001" : "5002").signIn();
    const before = invites();
    const media = await mediaOf(codec);
    expect(await client.post(media.offer(), "self")).toBe(200);
    const { event, sdp } = await client.read();
    expect(event).toBe("answer");
    await media.connect(sdp);
    await talk(media);
    expect([gateway.b2bua.echoes, gateway.b2bua.size, invites() - before]).toEqual([1, 0, 0]);
    // Hold and retrieve.
    for (const direction of ["inactive", "sendrecv"]) {
      await client.post(media.offer(direction));
      expect((await client.read()).sdp).toContain(`a=${direction}`);
    }
    await talk(media);
    expect(await client.post("BYE")).toBe(200);
    await expect.poll(() => gateway.b2bua.echoes).toBe(0);
    await client.signOut();
  },
);

it("has an echo call end with its sign-out", async () => {
  const client = await new Page("5003").signIn();
  await client.post((await mediaOf("pcmu")).offer(), client.id);
  expect((await client.read()).event).toBe("answer");
  await client.signOut();
  expect(gateway.b2bua.echoes).toBe(0);
});

it("calls a number with sound both ways, is told when it hangs up, and why another one failed", async () => {
  const client = await new Page("5004").signIn();
  const media = await mediaOf("pcmu");
  await client.post(media.offer(), "9196");
  const { event, peer, sdp } = await client.read();
  expect([event, peer]).toEqual(["answer", "9196"]);
  await media.connect(sdp);
  await talk(media);
  const [call] = sandbox.calls().filter(({ state }) => state === "connected");
  sandbox.hangUp(call?.uuid ?? "");
  expect(await client.read()).toEqual({ event: "bye", peer: "9196", sdp: "", error: null });
  await client.post((await mediaOf("pcmu")).offer(), "9198");
  expect(await client.read()).toEqual({ event: "bye", peer: "9198", sdp: "", error: "REFUSED" });
  await client.signOut();
});

it("is called, answers without to, and the next call is refused while it talks", async () => {
  const client = await new Page("5005").signIn();
  await sandbox.ring("5005", "1003");
  const { event, peer, sdp } = await client.read();
  expect([event, peer]).toEqual(["offer", "1003"]);
  const media = await mediaOf("pcmu");
  await client.post(media.answer(sdp));
  await media.connect(sdp);
  await talk(media);
  const ended = new Promise<string>((resolve) =>
    sandbox.events.on("ended", (_call, reason) => resolve(reason)),
  );
  await sandbox.ring("5005", "1004");
  expect(await ended).toContain("486");
  await client.post("BYE");
  await client.signOut();
});

it("stands beside a grtc.js client of the same DN, and neither reads the other's messages", async () => {
  const client = await new Page("5006").signIn();
  const signIn = await client.ask("sign_in", `5006:${testPassword("5006")}`);
  const ssid = (await signIn.text()).trim().split("=")[1] ?? "";
  const status = async (path: string, body?: string): Promise<number> =>
    (await client.ask(path, body)).status;
  expect(await status(`message?id=${ssid}`)).toBe(404);
  expect(await status(`message?from=${ssid}&to=9196`, "v=0\r\n")).toBe(404);
  expect(await status(`wait?id=${client.id}`)).toBe(409);
  expect(await status(`message?from=${client.id}&to=9196`, 'RSMP {"messageType":"OFFER"}')).toBe(409);
  expect(await status(`sign_out?id=${ssid}`)).toBe(200);
  expect(await status(`message?id=${client.id}`)).toBe(204);
  await client.signOut();
});

it("is read by the origin that signed in alone, with the headers a page of another origin needs", async () => {
  const client = await new Page("5007", { origin: page }).signIn();
  await sandbox.ring("5007", "1003");
  const path = `message?id=${client.id}`;
  expect((await client.ask(path, undefined, {})).status).toBe(404);
  expect((await client.ask(path, undefined, { origin: "https://evil.example" })).status).toBe(403);
  await expect
    .poll(async () => {
      const { headers } = await client.ask(path);
      return ["x-wrtc-event", "access-control-allow-origin", "access-control-expose-headers"].map((name) =>
        headers.get(name),
      );
    })
    .toEqual(["offer", page, "X-WRTC-Event, X-WRTC-Error"]);
  await client.signOut();
});

it("answers what is no sign-in or message, and goes on", async () => {
  const client = new Page("5008");
  const { id, dn } = client;
  const json = async (path: string, body: string): Promise<[number, string]> => {
    const answer = await client.ask(path, body);
    return [answer.status, await answer.text()];
  };
  expect(await json("sign_in", JSON.stringify({ id, dn, password: "wrong" }))).toEqual([
    401,
    '{"error":"wrong DN or password"}',
  ]);
  expect((await json("sign_in", '{"id":'))[0]).toBe(400);
  expect((await client.ask(`sign_in?id=${id}&dn=${dn}&password=${testPassword(dn)}`)).status).toBe(400);
  expect((await client.ask(`sign_in?id=${id}&dn=${dn}`)).status).toBe(401);
  await client.signIn();
  expect((await json(`message?from=${id}&to=9196`, `v=0${"x".repeat(300_000)}`))[0]).toBe(413);
  expect((await json(`message?from=${id}&to=self`, "v=0 that is no SDP"))[0]).toBe(200);
  expect(await client.read()).toMatchObject({ event: "bye", error: "FAILED" });
  expect((await json(`message?from=${id}`, "v=0"))[0]).toBe(400);
  await client.signOut();
});
