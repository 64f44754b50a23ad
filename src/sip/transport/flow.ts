/** Which of the two worlds a flow leads to: agents' browsers, or SIP Server. No message crosses but by a call. */
export type FlowSide = "browser" | "trunk";

/**
 * A way to reach one peer: the UDP socket with the peer's address, one WebSocket connection (RFC 5626's word), or
 * one SIP Server over TCP or TLS, whatever connection it has at the moment. Requests arrive with the flow they came
 * by, and what answers them goes back by it.
 */
export interface Flow {
  /** Unique for the life of the process. UDP: the same object or an equal `id` for the same remote address. */
  readonly id: string;
  readonly protocol: "UDP" | "TCP" | "TLS" | "WS" | "WSS";
  readonly side: FlowSide;
  /** True where the transport itself delivers (all but UDP), so that no SIP retransmission is made. */
  readonly reliable: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Our own end, where the flow is one connection. */
  readonly local?: { readonly address: string; readonly port: number };
  /** sent-by of the Via we write: `advertisedAddress:port`, or an `.invalid` name on WS (RFC 7118 5). */
  readonly sentBy: string;
  /** False once it can carry nothing more; never true again. */
  readonly open: boolean;
  /** Hands one whole message to the network. Never throws; failure is told once to `onError`. */
  send(message: Buffer, onError?: (error: Error) => void): void;
  /** Trunk only: the flow to the same address and another port (a response to the sent-by port, RFC 3261 18.2.2). */
  toPort?(port: number): Flow;
  /** Servers by TCP or TLS only: it is no configured server's any more, and connected only while it is used. */
  release?(): void;
}

/** What a transport gives to the layer above for each whole message it received. */
export interface FlowReceiver {
  /** `framing`: datagram = Content-Length may be shorter than the rest, frame = message equals the frame. */
  receive(flow: Flow, bytes: Buffer, framing: "datagram" | "frame"): void;
  /** The flow will never carry another message. */
  flowClosed(flow: Flow): void;
  /** The flow lost its connection and gets another: what was under way may be lost, answers come by the new one. */
  flowInterrupted?(flow: Flow): void;
}

/** What a Contact of ours must say so that requests come by the same transport; nothing for UDP (RFC 3261 19.1.1). */
export function transportParameter({
  protocol,
}: Pick<Flow, "protocol">): "" | ";transport=tcp" | ";transport=tls" {
  if (protocol === "TCP") return ";transport=tcp";
  return protocol === "TLS" ? ";transport=tls" : "";
}
