import { describe, expect, it } from "vitest";
import { plainOutbound } from "../../src/b2bua/outbound/outbound-policy.ts";
import { createResponse, type SipRequest } from "../../src/sip/index.ts";
import { genesysSdp } from "../support/descriptions.ts";
import { browserAnswer, notifiesOf, send, TransferBench } from "../support/transfer-bench.ts";

const rule = (match: string, more: object = {}) =>
  ({ match, action: "allow", strip: 0, prefix: "", ...more }) as const;
const outbound = {
  ...plainOutbound,
  privacyPrefix: "*31",
  rules: [rule("0900.", { action: "deny" }), rule("1XXX", { prefix: "9" }), rule("7", { strip: 1 })],
};

describe("the agent's REFER obeys the rules of what the agent dials", () => {
  it.each([
    ["1004", 202, "<sip:91004@192.0.2.10:5060>"],
    ["0900123", 403, undefined],
    ["*310900123", 403, undefined],
    ["*311004", 202, "<sip:91004@192.0.2.10:5060>"],
    ["7", 403, undefined],
    ["5001@jackfield;gr=urn:uuid:1", 202, "<sip:5001@192.0.2.10:5060>"],
    ["5001@jackfield;gr=urn:uuid:2", 400, undefined],
  ])("to %s: %i", async (number, status, referTo) => {
    const bench = new TransferBench({ outbound });
    await bench.running();
    const refers: SipRequest[] = [];
    bench.trunk.user.onRequestReceived = (request, transaction) => {
      if (request.method === "REFER") refers.push(request);
      transaction.respond(createResponse(request, 202));
    };
    notifiesOf(bench.browser);
    const uri = number.includes("@") ? `sip:${number}` : `sip:${number}@jackfield`;
    const statuses = send(bench.browser.received.session, "REFER", [["Refer-To", `<${uri}>`]]);
    await bench.pass();
    expect(statuses).toEqual([status]);
    expect(refers.map(({ headers }) => headers.get("Refer-To"))).toEqual(referTo ? [referTo] : []);
  });
});

it("a make call that SIP Server asks for by a connection of its own goes to its Contact, not to that connection's port", async () => {
  const bench = new TransferBench();
  const handle = bench.dispatcher.onRequest.bind(bench.dispatcher);
  bench.dispatcher.onRequest = (request, transaction) => {
    const flow = { ...bench.toTrunk, id: "TCP", protocol: "TCP", remotePort: 49_152 };
    if (request.method === "REFER") Object.defineProperty(transaction, "flow", { value: flow });
    handle(request, transaction);
  };
  bench.trunk.send("REFER", "sip:5001@192.0.2.20:5070", [
    ["Contact", "<sip:192.0.2.10:5060>"],
    ["Refer-To", "<sip:1004@192.0.2.10>"],
  ]);
  await bench.pass();
  bench.browser.received.accept(browserAnswer);
  await bench.pass();
  const { request } = bench.trunk.received;
  expect(request.uri.raw).toBe("sip:1004@192.0.2.10:5060");
  expect(request.from.uri.raw).toBe("sip:5001@192.0.2.10:5060");
  bench.trunk.received.accept(genesysSdp());
  await bench.pass();
  expect(bench.b2bua.calls()).toMatchObject([{ state: "established" }]);
});
