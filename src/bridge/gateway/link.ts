import type { Clock, Logger } from "../../core/index.ts";
import type { AgentStatusAnswer, CredentialStore, Enrolment } from "../contract.ts";
import {
  GatewayUnreachable,
  type GatewayAnswer,
  type GatewayClient,
  type GatewayQuestion,
} from "./client.ts";
import { isToken, readEnrolment } from "./enrolment.ts";

/** Why a question got no answer of the gateway's. */
export type LinkFault = "not-enrolled" | "unreachable" | "refused";

const readAgainMs = 10_000;

/** What the gateway tells of the agent; undefined where it does not say. */
export interface AgentStatus {
  readonly inService?: boolean | undefined;
  readonly pageConnected?: boolean | undefined;
  /** WWE has the DN registered. */
  readonly wanted?: boolean | undefined;
  readonly inCall?: boolean | undefined;
}

export interface LinkView {
  readonly gateway: string | undefined;
  /** Undefined before the first question. */
  readonly reachable: boolean | undefined;
  /** Why not, in words. */
  readonly problem: string | undefined;
  readonly enrolled: boolean;
  readonly dn: string | undefined;
}

export interface GatewayLinkOptions {
  /** `gateway.url` of the settings. */
  readonly url: string | undefined;
  readonly credentials: CredentialStore;
  readonly makeClient: (url: string) => GatewayClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** Something in `view` is different now. */
  readonly onChange: (view: LinkView) => void;
}

export type LinkAnswer =
  { readonly answer: GatewayAnswer } | { readonly fault: LinkFault; readonly problem: string };

/**
 * The agent at the gateway: the enrolment and questions under its token. The token goes to the gateway that issued it and
 * to no other, whatever the settings say.
 */
export class GatewayLink {
  readonly #options: GatewayLinkOptions;
  #enrolment: Enrolment | undefined;
  #client: GatewayClient | undefined;
  #view: LinkView;
  /** The gateway does not know the token. */
  #refused = false;
  /** When the credential store may be asked again, monotonic ms. */
  #readAgainAt = 0;
  #reading: Promise<void> | undefined;

  constructor(options: GatewayLinkOptions) {
    this.#options = options;
    this.#view = {
      gateway: options.url,
      reachable: undefined,
      problem: undefined,
      enrolled: false,
      dn: undefined,
    };
  }

  get view(): LinkView {
    return this.#view;
  }

  /** Reads the enrolment where there is none, or none that the gateway knows; every ten seconds at most. */
  async prepare(): Promise<void> {
    const { clock } = this.#options;
    if (this.#client && !this.#refused) return;
    if (!this.#reading && clock.now() >= this.#readAgainAt) {
      this.#readAgainAt = clock.now() + readAgainMs;
      this.#reading = this.#read().finally(() => (this.#reading = undefined));
    }
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { credentials, url, makeClient, log } = this.#options;
    const enrolment = await readEnrolment(credentials).catch((error: unknown) => {
      log.warn({ err: error }, "the credential store cannot be read");
      return undefined;
    });
    if (!enrolment)
      return this.#show({ enrolled: false, problem: "not enrolled: jackfield bridge enrol CODE" });
    if (url !== undefined && url !== enrolment.gateway) {
      const problem = `enrolled at ${enrolment.gateway}, but gateway.url is ${url}: enrol anew`;
      return this.#show({ enrolled: false, problem });
    }
    if (this.#client && enrolment.token === this.#enrolment?.token) return;
    this.#client?.close();
    this.#refused = false;
    this.#enrolment = enrolment;
    this.#client = makeClient(enrolment.gateway);
    this.#show({ gateway: enrolment.gateway, enrolled: true, dn: enrolment.dn, problem: undefined });
  }

  /** Asks under the agent's token; `path` is what stands behind it. Never rejects. */
  async ask(question: GatewayQuestion): Promise<LinkAnswer> {
    await this.prepare();
    if (!this.#client || !this.#enrolment)
      return { fault: "not-enrolled", problem: this.#view.problem ?? "not enrolled" };
    try {
      const path = `/endpoint/${this.#enrolment.token}${question.path}`;
      const answer = await this.#client.ask({ ...question, path });
      return this.#judge(answer);
    } catch (error) {
      const problem = error instanceof GatewayUnreachable ? error.message : "the question failed";
      this.#show({ reachable: false, problem });
      return { fault: "unreachable", problem };
    }
  }

  /** A page token, for the window; undefined when there is none to be had (`view.problem` says why). */
  async pageAddress(): Promise<string | undefined> {
    const headers = { "content-type": "application/json" };
    const result = await this.ask({ method: "POST", path: "/page-token", headers, body: Buffer.from("{}") });
    if ("fault" in result) return undefined;
    const address = pageAddressOf(result.answer, this.#enrolment?.gateway ?? "");
    if (address === undefined) this.#show({ problem: `no page token: HTTP ${result.answer.status}` });
    return address;
  }

  /** How the agent stands at the gateway (`AgentStatusAnswer`); undefined when it does not say. Does not count as a sign of life of WWE's. */
  async status(): Promise<AgentStatus | undefined> {
    const result = await this.ask({ method: "GET", path: "/status" });
    return "fault" in result || result.answer.status !== 200 ? undefined : asStatus(result.answer.body);
  }

  close(): void {
    this.#client?.close();
  }

  #judge(answer: GatewayAnswer): LinkAnswer {
    // The gateway's own words for a token that opens nothing; a proxy in between has no say in it.
    const { status } = answer;
    if (status === 401) {
      const problem = "the gateway does not know this enrolment any more: enrol anew";
      this.#refused = true;
      this.#show({ reachable: true, problem });
      return { fault: "refused", problem };
    }
    if (status >= 502 && status <= 504) {
      const problem = `the gateway does not serve now: HTTP ${status}`;
      this.#show({ reachable: false, problem });
      return { fault: "unreachable", problem };
    }
    this.#show({ reachable: true, problem: undefined });
    return { answer };
  }

  #show(change: Partial<LinkView>): void {
    const before = this.#view;
    this.#view = { ...before, ...change };
    const { reachable, problem, enrolled } = this.#view;
    if (before.reachable === reachable && before.problem === problem && before.enrolled === enrolled) return;
    this.#options.onChange(this.#view);
  }
}

/** The page's whole address, at the gateway's own: the token goes there, and the window has the microphone. */
function pageAddressOf({ status, body }: GatewayAnswer, gateway: string): string | undefined {
  const { url, token } = status === 200 ? objectOf(body) : {};
  if (typeof url !== "string" || !URL.canParse(url, gateway) || !isToken(token)) return undefined;
  const page = new URL(url, gateway);
  if (page.origin !== gateway) return undefined;
  if (page.hash === "") page.hash = `endpoint=${token}`;
  return page.href;
}

function asStatus(body: Buffer): AgentStatus {
  const answer = objectOf(body);
  const told = (name: keyof AgentStatusAnswer): boolean | undefined => {
    const value = answer[name];
    return typeof value === "boolean" ? value : undefined;
  };
  return {
    inService: told("in_service"),
    pageConnected: told("page_connected"),
    wanted: told("wanted"),
    inCall: told("in_call"),
  };
}

function objectOf(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    return typeof parsed === "object" && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
