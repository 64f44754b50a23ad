import { createSocket, type Socket } from "node:dgram";
import { silentLogger } from "../../../src/core/index.ts";
import { bindDatagramSocket } from "../../../src/media/browser-transport/datagram-socket.ts";
import { openTrunkSocket, type TrunkSocket } from "../../../src/media/relay/trunk-socket.ts";
import { cpuUs } from "../calibration.ts";
import type { Stage, StageSize } from "./stage.ts";

const host = "127.0.0.1";
const packet = Buffer.alloc(172, 0x80);
/** Packets that a turn of the event loop finds: the fewer, the dearer each. */
const bursts = [1, 10, 50] as const;
const trunkSockets = 50;
const firstTrunkPort = 25_000;

/** The far end of all sockets here; what it does is not counted. */
async function farEnd(): Promise<Socket> {
  const far = createSocket({
    type: "udp4",
    recvBufferSize: 4 << 20,
    lookup: (name, _options, found) => found(null, name, 4),
  });
  await new Promise<void>((resolve) => far.bind(0, host, resolve));
  return far;
}

async function openTrunks(): Promise<TrunkSocket[]> {
  const opened: TrunkSocket[] = [];
  for (let port = firstTrunkPort; opened.length < trunkSockets && port < firstTrunkPort + 1000; port += 2)
    // A port that somebody has is passed over.
    await openTrunkSocket(host, port, silentLogger).then(
      (socket) => opened.push(socket),
      () => {},
    );
  return opened;
}

/** Waits until `seen()` has reached `wanted`, for a second at most: a datagram may be dropped. */
async function until(seen: () => number, wanted: number): Promise<void> {
  const end = performance.now() + 1000;
  while (seen() < wanted && performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
}

/** UDP over loopback through the relay's own sockets: one that all browsers share, one for each trunk. */
export async function socketStages({ dear }: StageSize): Promise<Stage[]> {
  const [browser, trunks, far] = [
    await bindDatagramSocket({ host, port: 0 }),
    await openTrunks(),
    await farEnd(),
  ];
  const { port } = far.address();
  let farGot = 0;
  let got = 0;
  far.on("message", () => farGot++);
  browser.onMessage = () => void got++;
  for (const trunk of trunks) trunk.onRtp = () => void got++;

  const sending = (name: string, send: (index: number) => void): Stage => ({
    name,
    async measure() {
      const burst = 50;
      let used = 0;
      for (let sent = 0; sent < dear; sent += burst) {
        const [wanted, before] = [farGot + burst, cpuUs()];
        for (let index = 0; index < burst; index++) send(index);
        used += cpuUs() - before;
        await until(() => farGot, wanted);
      }
      return used / (Math.ceil(dear / burst) * burst);
    },
  });
  const receiving = (name: string, burst: number, portOf: (index: number) => number): Stage => ({
    name,
    async measure() {
      let used = 0;
      for (let sent = 0; sent < dear; sent += burst) {
        const wanted = got + burst;
        for (let index = 0; index < burst; index++) far.send(packet, portOf(index), host);
        const before = cpuUs();
        await until(() => got, wanted);
        used += cpuUs() - before;
      }
      return used / (Math.ceil(dear / burst) * burst);
    },
  });
  const trunk = (index: number): TrunkSocket | undefined => trunks[index % trunks.length];
  const stages = [
    sending("UDP send, browsers' socket", () => browser.send(packet, packet.length, port, host)),
    sending("UDP send, 50 trunk sockets", (index) =>
      trunk(index)?.sendRtp(packet, packet.length, port, host),
    ),
    ...bursts.map((burst) =>
      receiving(`UDP receive, browsers' socket, ${burst} at once`, burst, () => browser.port),
    ),
    ...bursts.map((burst) =>
      receiving(`UDP receive, trunk sockets, ${burst} at once`, burst, (index) => trunk(index)?.port ?? port),
    ),
  ];
  const close = async (): Promise<void> => {
    await Promise.all([browser.close(), ...trunks.map((one) => one.close())]);
    await new Promise<void>((resolve) => far.close(() => resolve()));
  };
  return stages.map((stage, index) => (index === 0 ? { ...stage, close } : stage));
}
