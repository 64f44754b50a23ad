import { describe, expect, it } from "vitest";
import { OutboundServers } from "../../src/b2bua/index.ts";
import type { Flow } from "../../src/sip/index.ts";
import { FakeClock } from "../support/fake-clock.ts";

const flow = (id: string): Flow => ({
  id,
  protocol: "UDP",
  side: "trunk",
  reliable: false,
  remoteAddress: `192.0.2.${id}`,
  remotePort: 5060,
  sentBy: "192.0.2.20:5070",
  open: true,
  send() {},
});

function open() {
  const clock = new FakeClock();
  const servers = [flow("10"), flow("11"), flow("12")].map((one) => ({ flow: one, up: true }));
  const door = { serverFor: () => servers[1]?.flow, pool: { list: () => servers } };
  return { clock, servers, choice: new OutboundServers(door, clock) };
}

describe("the server for an agent's call", () => {
  it("is the DN's own, then the others that are up in order of preference", () => {
    const { servers, choice } = open();
    const flows = servers.map((server) => server.flow);
    expect(choice.next("5001")?.host).toBe("192.0.2.11:5060");
    expect(choice.next("5001", [flow("11")])?.host).toBe("192.0.2.10:5060");
    const [preferred] = servers;
    if (preferred) preferred.up = false;
    expect(choice.next("5001", [flow("11")])?.host).toBe("192.0.2.12:5060");
    expect(choice.next("5001", flows)).toBeUndefined();
  });

  it("comes last while it asked not to be called, at most a minute, and is called where there is no other", () => {
    const { clock, choice } = open();
    choice.avoid(flow("11"), 86_400_000);
    expect(choice.next("5001")?.host).toBe("192.0.2.10:5060");
    expect(choice.next("5001", [flow("10"), flow("12")])?.host).toBe("192.0.2.11:5060");
    clock.advance(60_000);
    expect(choice.next("5001")?.host).toBe("192.0.2.11:5060");
  });

  it("is not remembered when it is none of the pool's", () => {
    const { choice } = open();
    choice.avoid(flow("99"), 1000);
    expect(choice.next("5001")?.host).toBe("192.0.2.11:5060");
  });
});
