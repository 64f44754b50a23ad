import type { Request, Response } from "playwright-core";
import type { ClientEvent } from "../../support/wrtc-client/index.ts";
import type { BrowserOptions } from "./browser.ts";
import { Lab, until } from "./lab.ts";
import type { PhonePage } from "./phone-page.ts";
import type { ClientView, Grtc, WrtcConfig } from "./page/wrtc/contract.ts";

/** A reply to a poll, as the page got it. */
export interface PollReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Files of Genesys' library and of jQuery, where the machine has them; they are no part of this project. */
const { GRTC_JS, GRTC_JQUERY } = process.env;

/** Why the checklist is not gone through with Genesys' own library; undefined: it is. */
export const whyNotGenesys =
  GRTC_JS && GRTC_JQUERY ? undefined : "GRTC_JS and GRTC_JQUERY name no files of Genesys' grtc.js";

/** Whom the checklist is gone through with. */
export const wrtcClients: readonly { readonly client: "wrtc" | "grtc"; readonly title: string }[] = [
  { client: "wrtc", title: "our own grtc.js" },
  ...(whyNotGenesys === undefined ? [{ client: "grtc", title: "Genesys' grtc.js" } as const] : []),
];

/** A page with a client of the WRTC protocol, and what it has said over the wire, oldest first. */
export class WrtcPage {
  readonly phone: PhonePage;
  readonly dn: string;
  /** Bodies posted as messages. */
  readonly posted: string[] = [];
  /** Paths and queries asked for. */
  readonly paths: string[] = [];
  readonly polls: PollReply[] = [];
  onPoll: (reply: PollReply) => void = () => undefined;
  readonly received: readonly string[] = [];
  readonly sent: readonly string[] = [];

  constructor(phone: PhonePage, dn: string) {
    this.phone = phone;
    this.dn = dn;
    phone.page.on("request", (request) => this.#onRequest(request));
    phone.page.on("response", (response) => this.#onResponse(response));
  }

  /** Calls one of the library's methods. */
  async do<Name extends keyof Grtc>(
    name: Name,
    ...parts: Parameters<Grtc[Name]>
  ): Promise<ReturnType<Grtc[Name]>> {
    return (await this.phone.page.evaluate(
      ([method, values]) => Reflect.apply(window.wrtc.grtc[method], window.wrtc.grtc, values) as unknown,
      [name, parts] as const,
    )) as ReturnType<Grtc[Name]>;
  }

  async view(): Promise<ClientView | undefined> {
    return await this.phone.page.evaluate(() => window.wrtc.grtc.view());
  }

  async events(): Promise<readonly ClientEvent[]> {
    return await this.phone.page.evaluate(() => window.wrtc.events);
  }

  /** Waits until the client has called back so, the `count`th time, and resolves with what it said. */
  async event(name: ClientEvent["name"], count = 1): Promise<unknown> {
    const handle = await this.phone.page.waitForFunction(
      ([wanted, times]) => window.wrtc.events.filter((one) => one.name === wanted)[times - 1],
      [name, count] as const,
    );
    return ((await handle.jsonValue()) as ClientEvent).data;
  }

  /** Posted ROAP messages of a type, parsed. */
  roap(type: string): readonly Readonly<Record<string, unknown>>[] {
    return this.posted
      .filter((body) => body.startsWith("RSMP {"))
      .map((body) => JSON.parse(body.slice(5)) as Record<string, unknown>)
      .filter(({ messageType }) => messageType === type);
  }

  #onRequest(request: Request): void {
    const { pathname, search } = new URL(request.url());
    this.paths.push(`${pathname}${search}`);
    if (pathname.endsWith("/message")) this.posted.push(request.postData() ?? "");
  }

  #onResponse(response: Response): void {
    if (!new URL(response.url()).pathname.endsWith("/wait")) return;
    const reply = { status: response.status(), headers: response.headers() };
    this.polls.push(reply);
    this.onPoll(reply);
  }
}

/** What a test says otherwise; without a password where it is undefined. */
export type WrtcTerms = Omit<Partial<WrtcConfig>, "password"> & { readonly password?: string | undefined };

/** The gateway's section for clients on pages of this origin. */
export function wrtcSection(
  origin: string,
  more: Readonly<Record<string, unknown>> = {},
): { readonly wrtc: object } {
  return { wrtc: { enabled: true, paths: ["", "/api/webrtc"], origins: [origin], ...more } };
}

/** A lab whose gateway takes clients of this protocol from its test pages; `media` is its media section. */
export async function openWrtcLab(
  { media, ...config }: Readonly<Record<string, object>> = {},
  browserOptions: BrowserOptions = {},
  wrtc: Readonly<Record<string, unknown>> = {},
): Promise<Lab> {
  return await Lab.open({ ...media }, browserOptions, (origin) => ({
    ...wrtcSection(origin, wrtc),
    ...config,
  }));
}

/** Where the gateway's clients of this protocol sign in. */
export function wrtcBase(lab: Lab): string {
  return `http://127.0.0.1:${lab.gateway.httpPort}`;
}

/** A page with the client configured, not signed in. */
export async function openWrtc(
  lab: Lab,
  client: "wrtc" | "grtc" = "wrtc",
  config: WrtcTerms = {},
): Promise<WrtcPage> {
  const { phone, dn } = await lab.open(client);
  if (client === "grtc") {
    for (const path of [GRTC_JQUERY, GRTC_JS]) if (path) await phone.page.addScriptTag({ path });
  }
  const page = new WrtcPage(phone, dn);
  const { password, ...rest } = { password: lab.account(dn).password, ...config };
  await page.do("configure", {
    gateway: wrtcBase(lab),
    repeatMs: 300,
    ...(password === undefined ? {} : { password }),
    ...rest,
  });
  return page;
}

/** Signed in with the next DN, in service at SIP Server, its microphone silent. */
export async function signInWrtc(
  lab: Lab,
  client: "wrtc" | "grtc" = "wrtc",
  config: WrtcTerms = {},
): Promise<WrtcPage> {
  const page = await openWrtc(lab, client, config);
  await page.phone.register({ ...lab.account(page.dn) });
  await page.phone.setMicrophone({ kind: "silence" });
  await until(() => lab.gateway.trunkRegistrations.status(page.dn).state === "in-service");
  return page;
}
