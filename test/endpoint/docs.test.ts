import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { callActs, orderNames } from "../../src/endpoint/index.ts";
import { isRecord } from "../house/support/files.ts";
import { openBench, TestPage, wweOrigin, type Answer } from "./support.ts";

const page = readFileSync(new URL("../../docs/endpoint.md", import.meta.url), "utf8");
const call = {
  state: "established",
  number: "7000",
  direction: "outgoing",
  since: "2026-01-01T12:00:00.000Z",
};

interface Example {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  readonly status: number;
  readonly answer: string;
  readonly answerHeaders: readonly (readonly [string, string])[];
}

const headersOf = (lines: readonly string[]): [string, string][] =>
  lines.flatMap((line) => {
    const [, name, value] = /^([A-Za-z-]+): (.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value]];
  });

const examples = Array.from(page.matchAll(/^```http\n([\s\S]*?)^```/gm), ([, text = ""]): Example => {
  const [request = "", reply = ""] = text.trim().split("\n\n");
  const [first = "", ...lines] = request.split("\n");
  const [method = "", path = ""] = first.split(" ");
  const [status = "", ...answer] = reply.split("\n")[0]?.split(" ") ?? [];
  return {
    method,
    path,
    headers: Object.fromEntries(headersOf(lines)),
    body: lines.find((line) => line.startsWith("{")),
    status: Number(status),
    answer: answer.join(" "),
    answerHeaders: headersOf(reply.split("\n")),
  };
});

/** Whether two JSON values are the same, where `"..."` of the page is any text. */
function isShown(shown: unknown, told: unknown): boolean {
  if (shown === "...") return typeof told === "string" && told !== "";
  if (!isRecord(shown) || !isRecord(told)) return JSON.stringify(shown) === JSON.stringify(told);
  const keys = Object.keys(shown);
  return keys.join() === Object.keys(told).join() && keys.every((key) => isShown(shown[key], told[key]));
}

it("every exchange that docs/endpoint.md shows is what is exchanged, in this order", async () => {
  expect(examples.length).toBeGreaterThan(20);
  const bench = await openBench({ origins: [wweOrigin, "https://wwe.example.com"] });
  const { token } = bench.tokens.issueAgent("5001");
  const { code = "" } = bench.tokens.issueCode("5001") ?? {};
  const carrier = await TestPage.open(bench, token);
  await carrier.state({ call });
  let session = carrier.path.replace("/endpoint/", "");
  const filled = (text: string): string =>
    text.replaceAll("{token}", token).replaceAll("{session}", session).replaceAll("{code}", code);
  const own = /\/(page|enrol|result|state|page-token|status)$/;
  const ordered = /\/(Mute|Unmute|Set\w+Volume|MakeCall|SendDTMF)/;
  let orders = 0;
  for (const { method, path, headers, body, status, answer, answerHeaders } of examples) {
    const name = `${method} ${path}`;
    if (answer === '{"get_IsEndpointActiveResult":true}') bench.dns.signIn("5001");
    const all = {
      ...headers,
      "content-type": "application/json",
      origin: own.test(path) ? bench.origin : "https://wwe.example.com",
    };
    const asked = bench.send(method, filled(path), all, body === undefined ? undefined : filled(body));
    if (ordered.test(path)) {
      while ((await carrier.event(orders)).order.order !== (/Call|DTMF/.test(path) ? "call" : "sound"))
        orders++;
      await carrier.result(orders++, true);
    }
    const told: Answer = await asked;
    expect(told.status, name).toBe(status);
    for (const [header, value] of answerHeaders)
      expect(told.headers[header], `${name}: ${header}`).toBe(value);
    if (answer.includes('"..."'))
      expect(isShown(JSON.parse(answer), JSON.parse(told.text)), told.text).toBe(true);
    else expect(told.text, name).toBe(answer);
    if (path === "/endpoint/page") session = (JSON.parse(told.text) as { session: string }).session;
    if (path.endsWith("UnregisterDn")) bench.dns.leave("5001");
  }
});

it("the orders that docs/endpoint.md shows are the contract's, all of them", () => {
  const [, text = ""] = /^```sse\n([\s\S]*?)^```/m.exec(page) ?? [];
  const orders = Array.from(
    text.matchAll(/^event: order\ndata: (.*)$/gm),
    ([, json = ""]) => JSON.parse(json) as unknown,
  );
  const names = orders.map((order) => (isRecord(order) ? order["order"] : undefined));
  expect(new Set(names)).toEqual(new Set(orderNames));
  for (const act of callActs) expect(page).toContain(`\`${act}\``);
});
