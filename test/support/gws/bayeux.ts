import type { IncomingMessage, Server, ServerResponse } from "node:http";
import cometd from "cometd-nodejs-server";
import { WebSocketServer, type WebSocket } from "ws";

type ServerSession = ReturnType<ReturnType<typeof cometd.createCometDServer>["getServerSession"]>;

export interface BayeuxOptions {
  /** Who a request's cookie belongs to; undefined: nobody, so no handshake. */
  readonly userOf: (request: IncomingMessage) => string | undefined;
  /** Milliseconds that a /meta/connect is held. */
  readonly holdMs: number;
}

/**
 * A Bayeux server (`cometd-nodejs-server`). That one speaks long-polling only: what comes by WebSocket is handed to it
 * as the long-polling request it would have been, so that both transports end at the same server.
 */
export class Bayeux {
  readonly #server: ReturnType<typeof cometd.createCometDServer>;
  readonly #sockets: WebSocketServer;
  readonly #users = new Map<ServerSession, string>();
  /** `websocket` or `long-polling` of each handshake. */
  readonly handshakes: string[] = [];
  /** No connection is taken. */
  down = false;
  /** On offer. */
  transports: readonly string[] = ["websocket", "long-polling"];

  constructor(http: Server, options: BayeuxOptions) {
    this.#server = cometd.createCometDServer({
      timeout: options.holdMs,
      browserCookieSameSite: "Lax",
      browserCookiePath: "/",
      sweepPeriod: 200,
    });
    this.#server.policy = {
      canHandshake: (session, _message, callback) => {
        const request: unknown = this.#server.context.request;
        const user = options.userOf(request as IncomingMessage);
        if (user !== undefined && session) {
          this.#users.set(session, user);
          session.addListener("removed", () => this.#users.delete(session));
        }
        callback(undefined, user !== undefined);
      },
    };
    this.#server.addExtension({
      outgoing: (_server, _sender, _session, message, callback) => {
        if (message.channel === "/meta/handshake" && message.successful === true)
          message.supportedConnectionTypes = [...this.transports];
        callback(undefined, true);
      },
    });
    this.#sockets = new WebSocketServer({ noServer: true });
    http.on("upgrade", (request, socket, head) => {
      const takes = this.transports.includes("websocket") && !this.down;
      if (!takes || options.userOf(request) === undefined) {
        socket.destroy();
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#serve(ws, request));
    });
  }

  /** Long-polling. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    if (this.down) return void response.destroy();
    if (request.url?.endsWith("/handshake") === true) this.handshakes.push("long-polling");
    this.#server.handle(request, response);
  }

  #serve(ws: WebSocket, upgrade: IncomingMessage): void {
    let cookie = upgrade.headers.cookie ?? "";
    ws.on("message", (data: Buffer) => {
      const messages: unknown = JSON.parse(data.toString());
      if (JSON.stringify(messages).includes("/meta/handshake")) this.handshakes.push("websocket");
      const request = { method: "POST", headers: { cookie }, body: messages };
      const finished: (() => void)[] = [];
      const response = {
        statusCode: 200,
        socket: { destroyed: false },
        setHeader(name: string, value: string) {
          if (name === "Set-Cookie") cookie += `; ${value.split(";")[0] ?? ""}`;
        },
        addListener(event: string, act: () => void) {
          if (event === "finish") finished.push(act);
        },
        end(content?: string) {
          if (ws.readyState === ws.OPEN && content !== undefined) ws.send(content);
          for (const act of finished) act();
        },
      };
      this.#server.handle(request, response);
    });
  }

  /** Tells a user's pages something. */
  tell(user: string, channel: string, data: unknown): void {
    for (const [session, owner] of this.#users)
      if (owner === user && session.subscriptions.some(({ name }) => name === channel))
        session.deliver(null, channel, data);
  }

  get sessions(): number {
    return this.#users.size;
  }

  /** Cuts every connection and forgets the sessions, as a restart does. */
  drop(): void {
    for (const ws of this.#sockets.clients) ws.terminate();
    for (const session of this.#users.keys()) session.disconnect();
    this.#users.clear();
  }

  close(): void {
    this.drop();
    this.#sockets.close();
    this.#server.close();
  }
}
