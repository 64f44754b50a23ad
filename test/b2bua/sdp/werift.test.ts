import { RTCPeerConnection } from "werift";
import { afterEach, expect, it } from "vitest";
import { acceptBrowserAnswer, answerBrowser, offerBrowser } from "../../../src/b2bua/sdp/index.ts";
import { browserDescription, browserLocal, good, origin } from "./fixtures.ts";

/** An independent WebRTC stack reads what we write and writes what we read. */
const peers: RTCPeerConnection[] = [];

function newPeer(): RTCPeerConnection {
  const peer = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
  peers.push(peer);
  return peer;
}

afterEach(async () => {
  await Promise.all(peers.splice(0).map(async (peer) => peer.close()));
});

// Nobody listens at this port: the peer's checks stay on the machine and go unanswered.
const preference = {
  local: { ...browserLocal, address: "127.0.0.1", port: 9 },
  codecs: ["opus", "pcmu"],
  direction: "sendrecv",
  origin,
} as const;

it("answers werift's offer so that werift takes it", async () => {
  const peer = newPeer();
  peer.addTransceiver("audio");
  peer.addTransceiver("video");
  await peer.setLocalDescription(await peer.createOffer());
  const offer = browserDescription(peer.localDescription?.sdp ?? "");
  const { sdp, remote } = good(answerBrowser(offer, preference));
  expect(remote.iceUfrag.length).toBeGreaterThanOrEqual(4);
  expect(remote.fingerprints).toHaveLength(1);
  await peer.setRemoteDescription({ type: "answer", sdp });
  expect(peer.signalingState).toBe("stable");
  expect(peer.getTransceivers()[0]?.currentDirection).toBe("sendrecv");
});

it("offers so that werift answers, and takes that answer", async () => {
  const peer = newPeer();
  const { sdp, offer } = offerBrowser(preference);
  await peer.setRemoteDescription({ type: "offer", sdp });
  await peer.setLocalDescription(await peer.createAnswer());
  const { remote } = good(acceptBrowserAnswer(offer, peer.localDescription?.sdp ?? ""));
  expect(["opus", "pcmu"]).toContain(remote.payload.codec);
  expect(remote.fingerprints[0]?.algorithm).toBe("sha-256");
});
