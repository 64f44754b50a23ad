import { createSocket, Socket } from "node:dgram";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { silentLogger } from "../../../src/core/index.ts";
import { openTrunkSocket, type TrunkSocket } from "../../../src/media/relay/trunk-socket.ts";
import { rtpRange, until } from "../pool/pool-double.ts";

const far = createSocket("udp4");
const received: string[] = [];
far.on("message", (packet) => received.push(packet.toString("latin1")));

beforeAll(() => new Promise<void>((resolve) => far.bind(0, "127.0.0.1", resolve)));
afterAll(() => far.close());

let socket: TrunkSocket | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await socket?.close();
});

async function open(): Promise<TrunkSocket> {
  socket = await openTrunkSocket("127.0.0.1", rtpRange(2)[0], silentLogger);
  return socket;
}

describe("the trunk's pair of sockets", () => {
  it("sends what the memory held when it was told to, though it is used again at once", async () => {
    const pair = await open();
    const memory = Buffer.alloc(172);
    for (let index = 0; index < 100; index++) {
      memory.fill(index);
      expect(pair.sendRtp(memory, index % 2 === 0 ? 172 : 50, far.address().port, "127.0.0.1")).toBe(true);
    }
    await until(() => received.length === 100);
    received.forEach((packet, index) => {
      expect(packet).toBe(String.fromCharCode(index).repeat(index % 2 === 0 ? 172 : 50));
    });
  });

  it("drops what comes while the system takes no more, instead of letting it pile up", async () => {
    const pair = await open();
    const send = vi.spyOn(Socket.prototype, "send");
    vi.spyOn(Socket.prototype, "getSendQueueCount").mockReturnValue(1);
    expect(pair.sendRtp(Buffer.alloc(172), 172, far.address().port, "127.0.0.1")).toBe(false);
    expect(send).not.toHaveBeenCalled();
  });

  it("sends nothing once it is closed, and closes once", async () => {
    const pair = await open();
    await Promise.all([pair.close(), pair.close()]);
    expect(pair.sendRtcp(Buffer.alloc(8), 8, far.address().port, "127.0.0.1")).toBe(false);
  });
});
