import type { FakeDevices } from "./fake-devices-contract.ts";
import { toneOf } from "./tone.ts";

const OWN_TONE = 900;

/** What the far end says. */
function voice(): MediaStreamTrack[] {
  const context = new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency: OWN_TONE });
  const destination = context.createMediaStreamDestination();
  oscillator.connect(destination);
  oscillator.start();
  return destination.stream.getAudioTracks();
}

/** A far end in the page itself, for the page's last connection: hears what that sends, and has a tone of its own. */
export function farEnd(): Pick<FakeDevices, "answer" | "heardThere" | "sending"> {
  const Connection = RTCPeerConnection;
  const connections: RTCPeerConnection[] = [];
  // Chromium decodes what arrives only for an element that plays it.
  const ear = document.createElement("audio");
  const play = HTMLMediaElement.prototype.play;
  ear.muted = true;
  window.RTCPeerConnection = new Proxy(Connection, {
    construct(target, [configuration]: [RTCConfiguration?]) {
      const connection = new target(configuration);
      connections.push(connection);
      return connection;
    },
  });
  return {
    async answer() {
      const offer = connections.at(-1)?.localDescription;
      if (offer === null || offer === undefined) throw new Error("the page has offered nothing");
      const there = new Connection();
      there.addEventListener("track", ({ track }) => {
        ear.srcObject = new MediaStream([track]);
        Reflect.apply(play, ear, []).catch(() => undefined);
      });
      await there.setRemoteDescription(offer);
      for (const track of voice()) there.addTrack(track);
      await there.setLocalDescription(await there.createAnswer());
      await gathered(there);
      return there.localDescription?.sdp ?? "";
    },
    sending: () =>
      connections.filter((one) => one.getSenders().some(({ track }) => track?.readyState === "live")).length,
    heardThere: async () => (ear.srcObject instanceof MediaStream ? await toneOf(ear.srcObject) : 0),
  };
}

async function gathered(connection: RTCPeerConnection): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (connection.iceGatheringState === "complete") resolve();
    };
    connection.addEventListener("icegatheringstatechange", look);
    look();
  });
}
