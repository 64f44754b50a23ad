import { expect, it } from "vitest";
import { traceJson, type Trace } from "../../src/trace/index.ts";
import { genesysSdp } from "../support/descriptions.ts";
import { ReloadBench } from "../support/reload-bench.ts";
import { browserAnswer, notifiesOf, replacesFor, send, TransferBench } from "../support/transfer-bench.ts";

type Bench = Pick<TransferBench, "traces">;

/** The newest call's ladder. */
function traceOf({ traces }: Bench): Trace {
  const trace = traces?.find(traces.list({})[0]?.id ?? "");
  if (!trace) throw new Error("no trace");
  return trace;
}

/** Its messages as `side way words`. */
function messagesOf(bench: Bench): string[] {
  return traceJson(traceOf(bench)).entries.flatMap((entry) =>
    "direction" in entry ? [`${entry.side} ${entry.direction} ${entry.text}`] : [],
  );
}

it("a transfer by REFER: the ladder goes on with the target's dialog", async () => {
  const bench = new TransferBench({ trace: {} });
  const { session } = await bench.running();
  notifiesOf(bench.trunk);
  send(session, "REFER", [["Refer-To", "<sip:1004@192.0.2.10:5060>"]]);
  await bench.pass();
  bench.trunk.received.accept(genesysSdp());
  await bench.pass();
  bench.trunk.received.session.bye();
  await bench.pass();
  expect(messagesOf(bench)).toEqual(
    expect.arrayContaining([
      "sip_server out INVITE sip:1004@192.0.2.10:5060",
      "sip_server in 200 OK (INVITE)",
      "sip_server in BYE",
    ]),
  );
});

it("INVITE with Replaces: the ladder goes on with the new dialog", async () => {
  const bench = new TransferBench({ trace: {} });
  const { session } = await bench.running();
  const next = await bench.replace(replacesFor(session));
  next?.session.bye();
  await bench.pass();
  const messages = messagesOf(bench);
  expect(messages.filter((line) => line.startsWith("sip_server in INVITE"))).toHaveLength(2);
  expect(messages).toContain("sip_server in BYE");
});

it("a make call by REFER: the ladder begins with the REFER and has its NOTIFYs", async () => {
  const bench = new TransferBench({ trace: {} });
  bench.trunk.send("REFER", "sip:5001@192.0.2.20:5070", [
    ["Contact", "<sip:192.0.2.10:5060>"],
    ["Refer-To", "<sip:1004@192.0.2.10>"],
  ]);
  await bench.pass();
  bench.browser.received.accept(browserAnswer);
  await bench.pass();
  const messages = messagesOf(bench);
  expect(messages[0]).toMatch(/^sip_server in REFER/);
  expect(messages).toContainEqual(expect.stringMatching(/^sip_server out NOTIFY/));
});

it("a resumed call: the ladder goes on with the new page's dialog, without the token", async () => {
  const bench = new ReloadBench({ resumes: true, trace: {} });
  await bench.established();
  const { token } = bench;
  await bench.reload();
  await bench.resume(token);
  const messages = messagesOf(bench);
  expect(messages).toContainEqual(expect.stringMatching(/^browser in INVITE sip:resume/));
  expect(messages.at(-1)).toBe("browser in ACK");
  expect(JSON.stringify(traceJson(traceOf(bench)))).not.toContain(token);
});
