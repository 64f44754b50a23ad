import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import fastify, { type FastifyInstance } from "fastify";
import type { Page } from "playwright-core";
import type { AnswerMessage, EventMessage } from "../../../web/sdk/protocol.ts";
import { servePages } from "../../../src/ws/index.ts";
import { FakeGateway } from "../../browser/support/fake-gateway.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const built = join(root, "web", "dist");

export interface Site {
  readonly origin: string;
  close(): Promise<void>;
}

export interface PhoneSite extends Site {
  readonly gateway: FakeGateway;
}

export interface PhoneSiteOptions {
  /** Whose messages the page hears. */
  readonly origins: readonly string[];
  /** Who may frame it; default the same. */
  readonly ancestors?: readonly string[];
  readonly mode?: "phone" | "audio";
}

/** The softphone with the headers the gateway serves it with, before a scripted gateway that knows 5001 and one token. */
export async function servePhone(options: PhoneSiteOptions): Promise<PhoneSite> {
  const app: FastifyInstance = fastify();
  app.post("/api/sign-in", async (request, reply) => {
    const { body } = request;
    if (JSON.stringify(body) !== '{"token":"good-token"}')
      return await reply.status(401).send({ error: "The token is not valid." });
    const user = "5001;exp=1795287600;id=0123456789abcdef";
    const ha1 = createHash("md5").update(`${user}:jackfield:secret`).digest("hex");
    return { dn: "5001", user, realm: "jackfield", ha1, expires_at: "2026-11-21T19:00:00Z" };
  });
  await servePages(app, built, {
    frameAncestors: options.ancestors ?? options.origins,
    settings: {
      mode: options.mode ?? "phone",
      web_socket_path: "/ws",
      embedding: { origins: options.origins },
      sign_in: { password_in_url: false },
    },
  });
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  const gateway = new FakeGateway(app.server, "secret");
  return {
    origin,
    gateway,
    async close() {
      gateway.close();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

/** Workspace's side of the shipped gadget: the wrapper of docs/ with `phone` in its place, beside a copy of the SDK. */
export async function serveGadget(phone: () => string): Promise<Site> {
  const wrapper = readFileSync(join(root, "docs", "wwe-gadget.example.html"), "utf8");
  const app: FastifyInstance = fastify();
  app.get("/", async (_request, reply) => {
    void reply.type("text/html");
    return await reply.send(wrapper.replace("https://phone.example.com/", `${phone()}/`));
  });
  app.get("/jackfield-phone.js", async (_request, reply) => {
    void reply.type("text/javascript");
    return await reply.send(readFileSync(join(built, "sdk", "jackfield-phone.js"), "utf8"));
  });
  app.get("/favicon.ico", async (_request, reply) => await reply.status(204).send());
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    origin,
    async close() {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

/** Answers every path with `html`. */
export async function serveHtml(html: string): Promise<Site> {
  const server = createServer((request, response) => {
    if (request.url === "/favicon.ico") response.writeHead(204).end();
    else response.writeHead(200, { "content-type": "text/html" }).end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address after listen");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** What the scripts below put into the embedding page's window. */
interface ParentWindow {
  said: (AnswerMessage | EventMessage)[];
  run(method: string, ...what: unknown[]): Promise<unknown>;
  embed(options: object): Promise<void>;
}

declare global {
  // The page's window, in functions that run there.
  interface Window extends ParentWindow {}
}

/** An embedding page without a frame yet: keeps all that is said to it. */
export const PARENT = `<!doctype html><link rel="icon" href="data:,"><html lang="en"><title>CRM</title><div id="phone"></div>
<a id="dial" href="tel:+49-30-123">call</a>
<script>
  window.said = [];
  addEventListener("message", ({ data }) => { if (data && data.jackfield) said.push(data); });
  window.embed = async ({ origin, ...options }) => {
    const { JackfieldPhone } = await import(origin + "/sdk/jackfield-phone.js");
    const phone = new JackfieldPhone({ url: origin + "/", container: document.getElementById("phone"), ...options });
    window.phone = phone;
    window.run = (method, ...what) =>
      Promise.resolve(phone[method](...what)).then((result) => ({ ok: result }), ({ code, message }) => ({ code, message }));
    await phone.ready;
  };
</script></html>`;

/** Calls a method of the SDK in the embedding page. @returns `{ok: result}` or the refusal */
export async function run(page: Page, method: string, ...what: unknown[]): Promise<unknown> {
  return await page.evaluate(async ([name, args]) => await window.run(name, ...args), [
    method,
    what,
  ] as const);
}

/** The events that the embedding page was told so far, by name. */
export async function events(page: Page): Promise<string[]> {
  return await page.evaluate(() => window.said.flatMap((one) => ("event" in one ? [one.event] : [])));
}

/** Data of the last event of that name. */
export async function lastOf(page: Page, event: string): Promise<unknown> {
  return await page.evaluate(
    (name) => window.said.findLast((one) => "event" in one && one.event === name),
    event,
  );
}
