import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { root } from "../house/support/files.ts";
import { browserSdp } from "../support/descriptions.ts";
import { openTestGateway, openTestSandbox } from "../support/test-gateway.ts";

// A real gateway and its media worker are started.
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

/** A request and its answer as docs/wrtc.md has them, or something that happens in between. */
type Step = { readonly happens: string } | Exchange;

interface Exchange {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
  readonly answerHeaders: Readonly<Record<string, string>>;
  readonly answer: string;
}

const token = "0123456789abcdef0123456789abcdef";
const page = readFileSync(join(root, "docs/wrtc.md"), "utf8");
const steps = Array.from(
  page.matchAll(/```http\n([^]*?)```|<!-- test: (.*?) -->/g),
  ([, text, happens]): Step => (happens === undefined ? exchangeOf(text ?? "") : { happens }),
);

function exchangeOf(text: string): Exchange {
  const [asked = "", told = ""] = text.split(/^(?=HTTP\/1\.1 )/m);
  const [line, headers, body] = partsOf(asked);
  const [method = "", target = ""] = line.split(" ");
  const [status, answerHeaders, answer] = partsOf(told);
  return { method, target, headers, body, status: Number(status.split(" ")[1]), answerHeaders, answer };
}

function partsOf(text: string): [line: string, headers: Record<string, string>, body: string] {
  const [head = "", ...body] = text.trim().split("\n\n");
  const [line = "", ...lines] = head.split("\n");
  const pairs = lines.map((one) => one.split(/: (.*)/, 2));
  return [line, Object.fromEntries(pairs) as Record<string, string>, body.join("\n\n")];
}

/** What the page leaves open stands for anything; what it names `SSID` is kept. */
function patternOf(text: string): RegExp {
  const escaped = text
    .replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
    .replaceAll(/<([A-Z]+)>/g, (_all, name: string) =>
      name === "SSID" ? "(?<ssid>[A-Za-z0-9_-]+)" : "[^]+?",
    );
  return new RegExp(`^${escaped}$`);
}

let sandbox: Sandbox;
let gateway: Awaited<ReturnType<typeof openTestGateway>>;
beforeAll(async () => {
  sandbox = await openTestSandbox();
  gateway = await openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    config: { wrtc: { enabled: true, waitSeconds: 5, waitSecondsHttp1: 5 }, admin: { token } },
  });
});
afterAll(async () => {
  await gateway.close("test is over");
  await sandbox.close();
});

let ssid = "";
let call = "";

async function happen(what: string): Promise<void> {
  const [, from = "", dn = ""] = /^(\d+) calls (\d+)$/.exec(what) ?? [];
  if (dn !== "") call = await sandbox.ring(dn, from);
  else if (what.endsWith("hangs up")) sandbox.hangUp(call);
  else throw new Error(`docs/wrtc.md: ${what}`);
}

function filled(text: string): string {
  const sdp = text.startsWith("RSMP") ? JSON.stringify(browserSdp()).slice(1, -1) : browserSdp();
  return text.replaceAll("<SSID>", ssid).replaceAll("<TOKEN>", token).replaceAll("<SDP>", sdp);
}

async function ask({ method, target, headers, body }: Exchange): Promise<Response> {
  return await fetch(`http://127.0.0.1:${gateway.httpPort}${filled(target)}`, {
    method,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, filled(value)])),
    ...(method === "POST" ? { body: filled(body) } : {}),
  });
}

/** A short poll comes back empty until what it is to bring is there. */
async function answerOf(exchange: Exchange): Promise<{ response: Response; text: string }> {
  for (let count = 0; ; count++) {
    const response = await ask(exchange);
    const text = (await response.text()).trim();
    const early = response.status === 204 && exchange.status === 200 && count < 500;
    if (!early) return { response, text };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it("docs/wrtc.md shows requests and answers as the gateway gives them", async () => {
  expect(steps.length).toBeGreaterThan(30);
  for (const step of steps) {
    if ("happens" in step) {
      await happen(step.happens);
      continue;
    }
    const { response, text } = await answerOf(step);
    const where = `${step.method} ${step.target} ${step.body.slice(0, 60)}`;
    expect(response.status, `${where}: ${text}`).toBe(step.status);
    for (const [name, value] of Object.entries(step.answerHeaders))
      expect(response.headers.get(name), `${where}: ${name}`).toBe(value);
    if (step.answer !== "" || step.answerHeaders["X-WRTC-Event"] === "bye")
      expect(text, where).toMatch(patternOf(step.answer));
    ssid = patternOf(step.answer).exec(text)?.groups?.["ssid"] ?? ssid;
  }
  await expect.poll(() => sandbox.bindings()).toEqual([]);
});
