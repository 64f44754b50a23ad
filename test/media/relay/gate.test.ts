import { describe, expect, it } from "vitest";
import type { Direction } from "../../../src/media/contract.ts";
import { pcma, pcmu, RelayDouble, rtp, trunkAddress } from "./relay-double.ts";

const payload = Buffer.alloc(160, 0x33);
const packet = (index: number, ssrc = 1): Buffer => rtp(0, index, index * 160, payload, { ssrc });

describe("what is let through", () => {
  it("relays nothing before connect, and counts what came", async () => {
    const relay = new RelayDouble();
    relay.describeBrowser();
    relay.describeTrunk();
    relay.up();
    await relay.settle();
    relay.fromBrowser(packet(1));
    relay.fromTrunk(packet(1));
    expect([relay.sentTo("trunk"), relay.sentTo("browser")]).toEqual([[], []]);
    relay.session.connect();
    relay.session.connect();
    relay.fromBrowser(packet(2));
    relay.fromTrunk(packet(2));
    expect(relay.sentTo("trunk")).toHaveLength(1);
    expect(relay.sentTo("browser")).toHaveLength(1);
    const { browser, trunk } = relay.session.statistics();
    expect([browser.dropped, trunk.dropped]).toEqual([{ unconnected: 1 }, { unconnected: 1 }]);
  });

  const table: [browser: Direction, trunk: Direction, toTrunk: number, toBrowser: number][] = [
    ["sendrecv", "sendrecv", 1, 1],
    ["sendrecv", "sendonly", 1, 0],
    ["sendrecv", "recvonly", 0, 1],
    ["sendrecv", "inactive", 0, 0],
    ["recvonly", "sendrecv", 1, 0],
    ["sendonly", "sendrecv", 0, 1],
    ["inactive", "sendrecv", 0, 0],
  ];
  it.each(table)(
    "browser %s, trunk %s: %i toward trunk, %i toward browser",
    async (browser, trunk, toTrunk, toBrowser) => {
      const relay = await RelayDouble.connected(pcmu, pcmu);
      relay.session.setDirection("browser", browser);
      relay.session.setDirection("trunk", trunk);
      relay.fromBrowser(packet(1));
      relay.fromTrunk(packet(1));
      expect(relay.sentTo("trunk")).toHaveLength(toTrunk);
      expect(relay.sentTo("browser")).toHaveLength(toBrowser);
    },
  );

  it("goes on after hold where time has got to, on the same line", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromTrunk(packet(1));
    relay.pass(20);
    relay.describeTrunk({ address: "0.0.0.0", direction: "inactive" });
    relay.fromTrunk(packet(2));
    relay.pass(5000);
    relay.describeTrunk({ direction: "sendrecv" });
    relay.fromTrunk(packet(1, 8));
    const [before, after, ...more] = relay.sentTo("browser");
    expect(more).toEqual([]);
    expect(after?.header.sequence).toBe(((before?.header.sequence ?? 0) + 1) & 0xffff);
    expect(after?.header.marker).toBe(true);
    expect(((after?.header.timestamp ?? 0) - (before?.header.timestamp ?? 0)) >>> 0).toBe(5020 * 8);
  });

  it.each([
    ["comfort noise", 13, "comfortNoise"],
    ["another law", 8, "payloadType"],
    ["comfort noise or whatever else of an unknown dynamic type", 99, "payloadType"],
  ])("drops %s, which was not negotiated, and takes it for no loss", async (_name, payloadType, cause) => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromTrunk(packet(1));
    relay.fromTrunk(rtp(payloadType, 2, 160, Buffer.alloc(1), { ssrc: 1 }));
    relay.pass(20);
    relay.fromTrunk(packet(3));
    expect(relay.sentTo("browser").map(({ header }) => header.payloadType)).toEqual([0, 0]);
    expect(relay.session.statistics().trunk).toMatchObject({
      dropped: { [cause]: 1 },
      packetsLost: 0,
      framesConcealed: 0,
    });
  });

  it("does not let an un-negotiated payload type of another SSRC take over the source", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromTrunk(packet(1));
    relay.fromTrunk(rtp(99, 900, 160, Buffer.alloc(1), { ssrc: 66 }));
    relay.fromTrunk(packet(2));
    expect(relay.sentTo("browser")).toHaveLength(2);
    expect(relay.session.statistics().trunk.dropped).toEqual({ payloadType: 1 });
  });

  it("takes the codec of a new description from the next packet on", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromTrunk(packet(1));
    relay.describeTrunk({ payload: pcma });
    await relay.settle();
    relay.fromTrunk(packet(2));
    relay.fromTrunk(rtp(8, 3, 480, Buffer.alloc(160, 0xd5), { ssrc: 1 }));
    const sent = relay.sentTo("browser");
    expect(sent).toHaveLength(2);
    expect(sent[1]?.payload.every((code) => code === 0xfe || code === 0xff)).toBe(true);
    relay.fromBrowser(packet(1));
    expect(relay.sentTo("trunk")[0]?.header.payloadType).toBe(8);
  });

  it("counts malformed RTP and RTCP of both sides and goes on", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromBrowser(Buffer.from([0x80, 0]));
    relay.fromTrunk(Buffer.alloc(40));
    relay.transport.handlers?.onRtcp(Buffer.alloc(8), 8);
    relay.trunk.onRtcp(Buffer.alloc(8), 8, trunkAddress.address, trunkAddress.port + 1);
    const { browser, trunk } = relay.session.statistics();
    expect(browser.dropped).toEqual({ malformed: 1, malformedRtcp: 1 });
    expect(trunk.dropped).toEqual({ malformed: 1, malformedRtcp: 1 });
    relay.fromBrowser(packet(1));
    expect(relay.sentTo("trunk")).toHaveLength(1);
    expect(relay.told).toEqual(["connected"]);
  });
});

describe("a flood of authentic packets", () => {
  it("is relayed no faster than any sound comes, so that one side cannot use up the worker or flood the other", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    for (let index = 0; index < 5000; index++) {
      relay.fromBrowser(packet(index));
      if (index % 50 === 49) relay.pass(20);
    }
    // 2 s of it: the burst of a network that stalled, then 250 a second.
    expect(relay.sentTo("trunk").length).toBeLessThanOrEqual(1000 + 500);
    expect(relay.session.statistics().browser.dropped.rate).toBeGreaterThanOrEqual(3500);
  });

  it("is none where a network that stalled for ten seconds lets go", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    for (let index = 0; index < 500; index++) relay.fromTrunk(packet(index));
    expect(relay.sentTo("browser")).toHaveLength(500);
  });
});

describe("whose RTP is taken on the trunk side", () => {
  it("drops and counts packets of another address", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromTrunk(packet(1), "192.0.2.66", trunkAddress.port);
    relay.trunk.onRtcp(Buffer.alloc(8), 8, "192.0.2.66", trunkAddress.port + 1);
    expect(relay.sentTo("browser")).toEqual([]);
    expect(relay.session.statistics().trunk.dropped).toEqual({ stranger: 2 });
  });

  it("takes another port of the address, one at a time", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromTrunk(packet(1), trunkAddress.address, 50_000);
    relay.fromTrunk(packet(7, 9), trunkAddress.address, 50_002);
    relay.fromTrunk(packet(2), trunkAddress.address, 50_000);
    expect(relay.sentTo("browser")).toHaveLength(2);
    relay.pass(600);
    relay.fromTrunk(packet(8, 9), trunkAddress.address, 50_002);
    expect(relay.sentTo("browser")).toHaveLength(3);
    expect(relay.session.statistics().trunk.dropped).toEqual({ stranger: 1 });
  });

  it("takes the signalled port as soon as it speaks, whoever else of that address speaks already", async () => {
    // A media server whose other call ended without its knowing sends on to the port that is ours now.
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromTrunk(packet(1), trunkAddress.address, 50_000);
    relay.fromTrunk(packet(70, 9));
    relay.fromTrunk(packet(2), trunkAddress.address, 50_000);
    relay.fromTrunk(packet(71, 9));
    expect(relay.sentTo("browser")).toHaveLength(3);
    expect(relay.session.statistics().trunk.dropped).toEqual({ stranger: 1 });
    relay.pass(600);
    relay.fromTrunk(packet(3), trunkAddress.address, 50_000);
    expect(relay.sentTo("browser")).toHaveLength(4);
  });

  it("takes only the exact port when strict", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu, { trunkSource: "strict" });
    relay.fromTrunk(packet(1), trunkAddress.address, 50_000);
    relay.fromTrunk(packet(1));
    relay.trunk.onRtcp(Buffer.from("80c9000100000001", "hex"), 8, trunkAddress.address, 50_001);
    expect(relay.sentTo("browser")).toHaveLength(1);
    expect(relay.session.statistics().trunk.dropped).toEqual({ stranger: 2 });
  });

  it("takes nothing before the address is known", async () => {
    const relay = new RelayDouble();
    relay.describeBrowser();
    relay.session.connect();
    relay.up();
    relay.fromTrunk(packet(1));
    expect(relay.session.statistics().trunk.dropped).toEqual({ stranger: 1 });
  });
});

describe("idle sides", () => {
  it("tells a silent side once, and again only after it has spoken", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu, { idleMs: 3000 });
    for (let index = 0; index < 400; index++) {
      relay.fromBrowser(packet(index));
      relay.pass(20);
    }
    expect(relay.told).toEqual(["connected", "idle trunk 3000"]);
    relay.fromTrunk(packet(1));
    for (let index = 400; index < 600; index++) {
      relay.fromBrowser(packet(index));
      relay.pass(20);
    }
    expect(relay.told.slice(2)).toEqual([expect.stringMatching(/^idle trunk 30[0-9]0$/)]);
  });

  it.each(["inactive", "sendonly"] as const)("never tells a side that is held (%s)", async (direction) => {
    const relay = await RelayDouble.connected(pcmu, pcmu, { idleMs: 1000 });
    relay.session.setDirection("trunk", direction);
    relay.session.setDirection("browser", direction);
    relay.pass(10_000);
    expect(relay.told).toEqual(["connected"]);
    relay.session.setDirection("trunk", "sendrecv");
    relay.pass(900);
    expect(relay.told).toEqual(["connected"]);
    relay.pass(200);
    expect(relay.told).toEqual(["connected", "idle trunk 1000"]);
  });

  it("tells a browser whose consent is gone, even while packets still come", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu, { idleMs: 1000 });
    relay.transport.lastConsentAt = 0;
    for (let index = 0; index < 100; index++) {
      relay.fromBrowser(packet(index));
      relay.fromTrunk(packet(index));
      relay.pass(20);
    }
    expect(relay.told).toEqual(["connected", "idle browser 1000"]);
  });

  it("tells a browser that never came up", () => {
    const relay = new RelayDouble({ idleMs: 1000 });
    relay.describeBrowser();
    relay.describeTrunk({ direction: "sendonly" });
    relay.session.connect();
    relay.pass(2000);
    expect(relay.told).toEqual(["idle browser 1000"]);
  });

  it("tells nothing with 0", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu, { idleMs: 0 });
    relay.pass(100_000);
    expect(relay.told).toEqual(["connected"]);
  });
});

describe("the session's life", () => {
  it("tells `connected` once though the transport connects again", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.up();
    expect(relay.told).toEqual(["connected"]);
  });

  it("fails at once when the handshake failed", async () => {
    const relay = new RelayDouble();
    relay.transport.handlers?.onFailed("fingerprint mismatch");
    expect(relay.told).toEqual(["failed browser media failed: fingerprint mismatch"]);
  });

  it("waits a little for the BYE when the browser closes its connection", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.transport.handlers?.onFailed("closed by peer");
    relay.pass(1900);
    expect(relay.told).toEqual(["connected"]);
    relay.pass(200);
    expect(relay.told).toEqual(["connected", "failed browser closed its media connection"]);
  });

  it("waits longer where the browser's description says so", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.describeBrowser({ farewellMs: 30_000 });
    relay.transport.handlers?.onFailed("closed by peer");
    relay.pass(29_000);
    expect(relay.told).toEqual(["connected"]);
    relay.pass(1500);
    expect(relay.told).toEqual(["connected", "failed browser closed its media connection"]);
  });

  it("does not end when a new description of the browser's comes meanwhile", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.transport.handlers?.onFailed("closed by peer");
    relay.pass(1000);
    relay.describeBrowser();
    relay.pass(5000);
    expect(relay.told).toEqual(["connected"]);
  });

  it("tells quality every 5 s with counters of both sides", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    for (let index = 0; index < 520; index++) {
      relay.fromBrowser(packet(index));
      relay.fromTrunk(packet(index));
      relay.pass(20);
    }
    expect(relay.quality).toHaveLength(2);
    expect(relay.quality[0]?.browser).toMatchObject({
      codec: "pcmu",
      packetsReceived: 250,
      packetsSent: 250,
      bytesReceived: 250 * 172,
      bytesSent: 250 * 172,
      packetsLost: 0,
    });
  });

  it("says BYE to both sides, closes everything and then is deaf", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromBrowser(packet(1));
    relay.fromTrunk(packet(1));
    await relay.session.close();
    await relay.session.close();
    for (const rtcp of [relay.transport.rtcp.at(-1), relay.trunk.rtcp.at(-1)?.packet])
      expect(rtcp?.subarray(-8, -4).toString("hex")).toBe("81cb0001");
    expect(relay.trunk.rtcp.at(-1)?.port).toBe(trunkAddress.port + 1);
    expect([relay.transport.closed, relay.trunk.closed]).toEqual([true, true]);
    relay.fromBrowser(packet(2));
    relay.fromTrunk(packet(2));
    relay.pass(1000);
    expect(relay.sentTo("trunk")).toHaveLength(1);
    expect(relay.clock.pendingTimers).toBe(0);
  });

  it("closes all it holds even if saying goodbye fails", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromBrowser(packet(1));
    relay.trunk.sendRtcp = () => {
      throw new Error("a bug");
    };
    await relay.session.close();
    expect([relay.transport.closed, relay.trunk.closed]).toEqual([true, true]);
  });

  it("ends itself, not the worker, on a fault of its own", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.transport.sendRtp = () => {
      throw new Error("a bug");
    };
    relay.fromTrunk(packet(1));
    expect(relay.told.at(-1)).toBe("failed media session failed: internal error");
  });
});
