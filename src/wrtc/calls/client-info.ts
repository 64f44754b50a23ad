import type { Logger } from "../../core/index.ts";
import type { AttachedPair, ClientMessage } from "../contract.ts";
import type { Attached } from "./attached.ts";
import { KeptInfo } from "./kept-info.ts";

type Info = Extract<ClientMessage, { kind: "info" }>;

const typeOf: Readonly<Record<Info["use"], string>> = {
  "to-server": "application/x-www-form-urlencoded",
  "to-peer": "application/octet-stream",
};

export interface ClientInfoHost {
  readonly attached: Attached;
  readonly log: Logger;
  /** There is a dialog that INFO can go by. */
  readonly established: () => boolean;
  readonly send: (contentType: string, body: string) => void;
}

/** What a client has for SIP Server, by INFO: RFC 6086 has the established dialog in mind, so what comes before waits. */
export class ClientInfo {
  readonly #host: ClientInfoHost;
  readonly #kept = new KeptInfo();

  constructor(host: ClientInfoHost) {
    this.#host = host;
  }

  put({ use, body }: Pick<Info, "use" | "body">): void {
    const { established, send, log } = this.#host;
    const contentType = typeOf[use];
    if (established()) return send(contentType, body);
    if (!this.#kept.keep(contentType, body)) log.warn({ contentType }, "INFO of the client's dropped");
  }

  /** What is new of the data attached to the call. */
  attach(pairs: readonly AttachedPair[]): void {
    this.putAttached(this.#host.attached.forInfo(pairs));
  }

  /** Attached data as `Attached` writes it; empty: none. */
  putAttached(form: string): void {
    if (form !== "") this.put({ use: "to-server", body: form });
  }

  /** The call is established: what waited goes out. */
  sendKept(): void {
    for (const { contentType, body } of this.#kept.take()) this.#host.send(contentType, body);
  }

  drop(): void {
    this.#kept.take();
  }
}
