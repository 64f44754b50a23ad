import { describe, expect, it } from "vitest";
import { plainOutbound } from "../../src/b2bua/outbound/outbound-policy.ts";
import { createDigestClient } from "../../src/sip/index.ts";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { genesysSdp } from "../support/descriptions.ts";

const first = "192.0.2.10:5060";
const second = "192.0.2.11:5060";
const contact = (...values: string[]) => values.map((value) => ["Contact", value] as const);

async function dialled(options?: ConstructorParameters<typeof B2buaBench>[0]) {
  const bench = new B2buaBench(options);
  const peer = bench.addPeer();
  await bench.dial("1003");
  return { bench, peer };
}

/** Request URIs of the gateway's INVITEs, in the order sent, repetitions left out. */
const invites = (bench: B2buaBench): string[] => {
  const lines = bench.network.startLines("192.0.2.20:5070").filter((line) => line.startsWith("INVITE"));
  return [...new Set(lines.map((line) => line.split(" ")[1] ?? ""))];
};

describe("an agent's call", () => {
  it("is refused by a rule with 403 and the words the page shows, without a word to SIP Server", async () => {
    const rules = [{ match: "1XXX", action: "deny" as const, strip: 0, prefix: "" }];
    const { bench, peer } = await dialled({ outbound: { ...plainOutbound, rules } });
    expect(bench.browser.user.told).toEqual(["failed 403"]);
    expect(bench.network.sent.some(({ text }) => /^SIP\/2.0 403[^]*number not allowed/.test(text))).toBe(
      true,
    );
    expect([bench.trunk.incoming, peer.incoming]).toEqual([undefined, undefined]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("goes to SIP Server with the number the rules make, whatever host or scheme was dialled", async () => {
    const rules = [{ match: "00.", action: "allow" as const, strip: 2, prefix: "+" }];
    const bench = new B2buaBench({ outbound: { ...plainOutbound, rules, identity: "preferred" } });
    bench.displayName = "Ann";
    for (const uri of ["tel:0049-89-1", "sip:00%204989-1@evil.example;maddr=192.0.2.66"]) {
      bench.browser.call(uri, "<sip:5001@jackfield>", "v=0", [["Privacy", "id"]]);
      await bench.pass();
    }
    expect(bench.browser.user.told).toEqual(["failed 400", "failed 400"]);
    await bench.dial("00(49)89-1");
    const { request } = bench.trunk.received;
    expect(request.uri.raw).toBe(`sip:+49891@${first}`);
    expect(request.to.uri.raw).toBe(`sip:+49891@${first}`);
    expect(request.headers.get("P-Preferred-Identity")).toBe(`"Ann" <sip:5001@${first}>`);
    expect(request.headers.has("Privacy")).toBe(false);
  });

  it("answers a digest challenge with the DN's credentials", async () => {
    const bench = new B2buaBench();
    bench.authentication = {
      client: createDigestClient({ random: new CountingRandom("client") }),
      credentials: { username: "5001", password: "secret" },
    };
    await bench.dial("1003");
    const challenge = 'Digest realm="genesys", nonce="n1", algorithm=MD5, qop="auth"';
    bench.trunk.received.reject(407, undefined, [["Proxy-Authenticate", challenge]]);
    await bench.pass();
    const { request } = bench.trunk.received;
    expect(request.cseq.sequence).toBe(2);
    expect(request.headers.get("Proxy-Authorization")).toContain('username="5001"');
    expect(request.headers.get("Proxy-Authorization")).toContain(`uri="sip:1003@${first}"`);
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    expect(bench.browser.user.told).toEqual([expect.stringMatching(/^answered/)]);
  });
});

describe("another SIP Server", () => {
  it.each([503, 603])("is called where the first refuses with %i before anything rang", async (status) => {
    const { bench, peer } = await dialled();
    bench.trunk.received.reject(status);
    await bench.pass();
    const [one, other] = [bench.trunk.received.request, peer.received.request];
    expect(other.uri.raw).toBe(`sip:1003@${second}`);
    expect(other.callId).toBe(one.callId);
    expect(other.from.tag).toBe(one.from.tag);
    expect(other.cseq.sequence).toBe(one.cseq.sequence + 1);
    expect(other.topVia.branch).not.toBe(one.topVia.branch);
    peer.received.accept(genesysSdp());
    await bench.pass();
    expect(bench.browser.user.told).toEqual([expect.stringMatching(/^answered/)]);
    bench.browser.outgoing?.session.bye();
    await bench.pass();
    expect(peer.user.told.at(-1)).toBe("ended BYE");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is not called for a 603 of a person who was rung, nor where the key says 0", async () => {
    const rung = await dialled();
    rung.bench.trunk.received.progress(180);
    await rung.bench.pass();
    rung.bench.trunk.received.reject(603);
    await rung.bench.pass();
    expect(rung.bench.browser.user.told).toEqual(["provisional 180", "failed 603"]);
    expect(rung.peer.incoming).toBeUndefined();
    const off = await dialled({ outbound: { ...plainOutbound, shutdownStatus: 0 } });
    off.bench.trunk.received.reject(603);
    await off.bench.pass();
    expect(off.bench.browser.user.told).toEqual(["failed 603"]);
  });

  it.each([404, 408, 486, 500, 600])(
    "is not called for %i, which speaks of the called side",
    async (status) => {
      const { bench, peer } = await dialled();
      bench.trunk.received.reject(status);
      await bench.pass();
      expect(bench.browser.user.told).toEqual([`failed ${status}`]);
      expect(peer.incoming).toBeUndefined();
      expect(await bench.remains()).toEqual(nothingLeft);
    },
  );

  it("is called after 180 and 503 too, the first's early media being dropped", async () => {
    const { bench, peer } = await dialled();
    bench.trunk.received.progress(183, genesysSdp({ port: 7000 }));
    await bench.pass();
    bench.trunk.received.reject(503, undefined, [["Retry-After", "20"]]);
    await bench.pass();
    expect(bench.toldOfServers).toEqual(["avoid 192.0.2.10 20000"]);
    peer.received.accept(genesysSdp({ port: 7002 }));
    await bench.pass();
    expect(bench.media.last.told.slice(1)).toEqual([
      "trunk 192.0.2.30:7000 pcmu sendrecv",
      "connect",
      "trunk direction inactive",
      "trunk 192.0.2.30:7002 pcmu sendrecv",
      "connect",
    ]);
    expect(bench.b2bua.calls()).toHaveLength(1);
    bench.b2bua.close("over");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("must describe its own media: the early answer of the first is not taken for it", async () => {
    const { bench, peer } = await dialled();
    bench.trunk.received.progress(183, genesysSdp({ port: 7000 }));
    await bench.pass();
    bench.trunk.received.reject(503);
    await bench.pass();
    peer.received.accept("");
    await bench.pass();
    expect(bench.browser.user.told.at(-1)).toMatch(/^failed/);
    expect(peer.user.told.at(-1)).toMatch(/^ended BYE/);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("hands 503 and its Reason to the browser when all have refused", async () => {
    const { bench, peer } = await dialled();
    bench.trunk.received.reject(503);
    await bench.pass();
    const [reason, retry] = ["Q.850;cause=42", "90 (busy);duration=5"];
    peer.received.reject(503, undefined, [
      ["Reason", reason],
      ["Retry-After", retry],
    ]);
    await bench.pass();
    const toBrowser = bench.network.sent.findLast(({ text }) => text.startsWith("SIP/2.0 503"))?.text;
    expect(toBrowser).toContain(`Reason: ${reason}\r\n`);
    expect(toBrowser).toContain("Retry-After: 90\r\n");
    expect(bench.browser.user.told).toEqual(["failed 503"]);
    expect(invites(bench)).toEqual([`sip:1003@${first}`, `sip:1003@${second}`]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is called 4 s after the first said nothing; a late answer of that is hung up", async () => {
    const bench = new B2buaBench();
    const peer = bench.addPeer();
    bench.network.drop = (from, text) => from === first && text.startsWith("SIP/2.0");
    await bench.dial("1003");
    await bench.pass(3900);
    expect(peer.incoming).toBeUndefined();
    await bench.pass(200);
    expect(bench.toldOfServers).toEqual(["unanswered 192.0.2.10"]);
    peer.received.progress(180);
    await bench.pass();
    bench.network.drop = () => false;
    bench.trunk.received.accept(genesysSdp({ port: 7000 }));
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["acknowledged", "ended BYE"]);
    peer.received.accept(genesysSdp({ port: 7002 }));
    await bench.pass();
    expect(bench.browser.user.told).toEqual(["provisional 180", expect.stringMatching(/^answered/)]);
    expect(bench.media.last.told).not.toContain("trunk 192.0.2.30:7000 pcmu sendrecv");
    bench.browser.outgoing?.session.bye();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is not called while the first only takes its time: 100 is a response", async () => {
    const { bench, peer } = await dialled();
    bench.trunk.received.progress(100);
    await bench.pass(60_000);
    expect(peer.incoming).toBeUndefined();
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    expect(bench.browser.user.told).toEqual([expect.stringMatching(/^answered/)]);
  });

  it("is called at once where the first cannot be reached", async () => {
    const bench = new B2buaBench();
    const peer = bench.addPeer();
    bench.toTrunk.open = false;
    await bench.dial("1003");
    expect(bench.toldOfServers).toEqual(["unanswered 192.0.2.10"]);
    expect(peer.received.request.uri.raw).toBe(`sip:1003@${second}`);
  });

  it("lets a silent one be the only one for the 32 s of timer B", async () => {
    const bench = new B2buaBench();
    bench.network.drop = (from) => from === first;
    await bench.dial("1003");
    await bench.pass(33_000);
    expect(bench.browser.user.told).toEqual(["failed 408"]);
    expect(bench.toldOfServers).toEqual(["unanswered 192.0.2.10"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("the agent giving up during the change-over", () => {
  it("cancels the attempt under way, and none follows its 503", async () => {
    const { bench, peer } = await dialled();
    bench.trunk.received.progress(180);
    await bench.pass();
    // The 503 crosses the CANCEL.
    bench.browser.outgoing?.cancel();
    bench.trunk.received.reject(503);
    await bench.pass();
    expect(bench.browser.user.told).toEqual(["provisional 180", "failed 487"]);
    expect(peer.incoming).toBeUndefined();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("cancels the second server's INVITE, not the first's that is over", async () => {
    const { bench, peer } = await dialled();
    bench.trunk.received.reject(503);
    await bench.pass();
    peer.received.progress(180);
    await bench.pass();
    bench.browser.outgoing?.cancel();
    await bench.pass();
    expect(peer.user.told).toEqual(["failed 487"]);
    expect(bench.network.sent.filter(({ text }) => text.startsWith("CANCEL sip:1003@192.0.2.10"))).toEqual(
      [],
    );
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("leaves no attempt to a timer", async () => {
    const bench = new B2buaBench();
    const peer = bench.addPeer();
    bench.network.drop = (from) => from === first;
    await bench.dial("1003");
    bench.browser.outgoing?.cancel();
    await bench.pass(5000);
    expect(peer.incoming).toBeUndefined();
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

describe("a redirection", () => {
  it("is followed to the hosts of SIP Server, best q first, strangers left out", async () => {
    const { bench, peer } = await dialled();
    bench.trunk.received.reject(302, undefined, [
      ...contact("<sip:1009@stranger.example>;q=1.0", `<sip:1004@${first}>;q=0.1`),
      ...contact(`<sip:1005@${second}>;q=0.8, <tel:1006>`),
    ]);
    await bench.pass();
    expect(peer.received.request.uri.raw).toBe(`sip:1005@${second}`);
    expect(peer.received.request.callId).toBe(bench.trunk.received.request.callId);
    peer.received.reject(404);
    await bench.pass();
    expect(bench.trunk.received.request.uri.raw).toBe(`sip:1004@${first}`);
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    expect(bench.browser.user.told).toEqual([expect.stringMatching(/^answered/)]);
  });

  it("to the peer of a server that shuts down keeps the number where the contact has none", async () => {
    const { bench, peer } = await dialled();
    bench.trunk.received.reject(302, undefined, contact(`<sip:${second}>`));
    await bench.pass();
    expect(peer.received.request.uri.raw).toBe(`sip:1003@${second}`);
  });

  it("ends the call where it leads to strangers only, or nowhere", async () => {
    for (const values of [["<sip:1004@stranger.example>"], []]) {
      const { bench } = await dialled();
      bench.trunk.received.reject(302, undefined, contact(...values));
      await bench.pass();
      expect(bench.browser.user.told).toEqual(["failed 480"]);
      expect(await bench.remains()).toEqual(nothingLeft);
    }
  });

  it("is not followed in circles nor for ever", async () => {
    const { bench, peer } = await dialled();
    let arrived = 0;
    let next = 2000;
    const redirect = () => {
      for (const end of [bench.trunk, peer]) {
        const invite = end.incoming;
        if (!invite?.pending) continue;
        arrived++;
        const back = end === peer ? first : second;
        invite.reject(302, undefined, contact(`<sip:1003@${first}>`, `<sip:${next++}@${back}>`));
      }
    };
    for (let turn = 0; turn < 20; turn++) {
      redirect();
      await bench.pass();
    }
    expect(arrived).toBe(5);
    expect(bench.browser.user.told).toEqual(["failed 480"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});
