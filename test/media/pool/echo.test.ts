import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { MediaPool, Payload } from "../../../src/media/index.ts";
import { sharedCertificate, WebRtcPeer } from "../../support/webrtc-peer.ts";
import { opus, parse, pcmu, rtp } from "../relay/relay-double.ts";
import { once, openPool, until } from "./pool-double.ts";

// Threads are started and the machine may be busy.
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

/** Its SDP names an address of which this host knows nothing, as behind NAT. */
let pool: MediaPool;
beforeAll(async () => {
  pool = await openPool({ host: "0.0.0.0", advertisedAddress: "192.0.2.99" });
});
afterAll(() => pool.close());

it.each<{ name: string; payload: Payload; ticks: number }>([
  { name: "Opus", payload: opus, ticks: 960 },
  { name: "PCMU", payload: pcmu, ticks: 160 },
])(
  "a session described by its own trunk port sends the browser's $name back, once each",
  async ({ payload, ticks }) => {
    const session = await pool.open();
    const peer = await WebRtcPeer.create({ certificate: await sharedCertificate() });
    try {
      const { ownAddress, port } = session.trunk;
      expect(ownAddress).toBe("127.0.0.1");
      const { codec, payloadType } = payload;
      session.setTrunkRemote({
        address: ownAddress ?? "",
        port,
        payload: { codec, payloadType },
        direction: "sendrecv",
      });
      const { iceUfrag, fingerprint } = peer;
      session.setBrowserRemote({ iceUfrag, fingerprints: [fingerprint], payload, direction: "sendrecv" });
      session.connect();
      const connected = once(session, "connected");
      await peer.connect({ ...session.browser, address: "127.0.0.1" });
      await connected;
      const heard: string[] = [];
      peer.onRtp = (packet, length) => heard.push(parse(packet.subarray(0, length)).payload.toString("hex"));
      // Of Opus' first byte: one frame of 20 ms, narrowband.
      const said = Array.from({ length: 30 }, (_, index) => Buffer.alloc(160, 0x41 + index).fill(0x08, 0, 1));
      for (const [index, sound] of said.entries()) {
        peer.sendRtp(rtp(payloadType, index, index * ticks, sound));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const back = () => said.filter((sound) => heard.includes(sound.toString("hex"))).length;
      await until(() => back() === said.length);
      for (const sound of said) expect(heard.filter((one) => one === sound.toString("hex"))).toHaveLength(1);
      const { trunk } = await session.statistics();
      expect(trunk.dropped["stranger"]).toBeUndefined();
    } finally {
      session.close("test over");
      await peer.close();
    }
  },
);
