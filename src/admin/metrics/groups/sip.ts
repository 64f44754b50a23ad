import { readKernelDrops } from "../../../core/index.ts";
import type { StreamTransport, TransactionLayerWithReceiver, UdpTransport } from "../../../sip/index.ts";
import { counter, gauge, putEach, type Collect } from "../definition.ts";

export const sipMetrics = {
  messages: counter(
    "sip_messages",
    "SIP messages, repetitions too: side browser or trunk, direction received or sent, kind a method or a class of responses (2xx).",
    ["side", "direction", "kind"],
  ),
  retransmissions: counter(
    "sip_retransmissions",
    "Repetitions among them: received (and absorbed) or sent.",
    ["direction"],
  ),
  parseErrors: counter("sip_parse_errors", "Messages that could not be parsed, answered or not."),
  events: counter(
    "sip_events",
    "What else the transaction layer counts: client_timeouts, ack_timeouts, overload_rejections, stray_responses, transport_errors and so on.",
    ["event"],
  ),
  transactions: gauge("sip_transactions", "Transactions that live: client or server.", ["role"]),
  dialogs: gauge("sip_dialogs", "Dialogs that live."),
  datagrams: counter("sip_datagrams", "Datagrams of the SIP socket: received or sent.", ["direction"]),
  udpFaults: counter(
    "sip_udp_faults",
    "Datagrams of strangers dropped unread (dropped_by_address), send_errors, socket_errors, receiver_errors.",
    ["fault"],
  ),
  streams: counter(
    "sip_stream_events",
    "What befell TCP and TLS connections to and from SIP Server: connected, connect_errors, accepted, lost, framing_errors, handshake_errors and so on.",
    ["event"],
  ),
  receiveBuffer: gauge(
    "udp_receive_buffer_bytes",
    "Receive buffer that the kernel granted (Linux books twice the usable size): socket sip, or browser of a worker.",
    ["socket", "worker"],
  ),
  kernelDrops: counter(
    "udp_kernel_drops",
    "Datagrams that the kernel dropped for want of room in that buffer; Linux only.",
    ["socket", "worker"],
  ),
};

export interface SipSources {
  readonly transactions: Pick<TransactionLayerWithReceiver, "messages" | "counters" | "counts">;
  readonly dialogs: { readonly size: number };
  readonly udp: UdpTransport | undefined;
  readonly stream: Pick<StreamTransport, "counters"> | undefined;
  /** Address the SIP socket is bound to. */
  readonly host: string;
}

export function sipCollector({ transactions, dialogs, udp, stream, host }: SipSources): Collect {
  return async (put) => {
    for (const { count, ...labels } of transactions.messages.all) put(sipMetrics.messages, count, labels);
    const {
      parseErrors,
      retransmissionsSent,
      retransmissionsAbsorbed,
      requestsReceived: _requests,
      responsesReceived: _responses,
      ...events
    } = transactions.counters;
    put(sipMetrics.retransmissions, retransmissionsSent, { direction: "sent" });
    put(sipMetrics.retransmissions, retransmissionsAbsorbed, { direction: "received" });
    put(sipMetrics.parseErrors, parseErrors);
    putEach(put, sipMetrics.events, events, "event");
    put(sipMetrics.transactions, transactions.counts.client, { role: "client" });
    put(sipMetrics.transactions, transactions.counts.server, { role: "server" });
    put(sipMetrics.dialogs, dialogs.size);
    if (stream) putEach(put, sipMetrics.streams, { ...stream.counters }, "event");
    if (!udp) return;
    const { datagramsReceived, datagramsSent, receiveBufferBytes, ...faults } = udp.counters;
    put(sipMetrics.datagrams, datagramsReceived, { direction: "received" });
    put(sipMetrics.datagrams, datagramsSent, { direction: "sent" });
    putEach(put, sipMetrics.udpFaults, faults, "fault");
    const socket = { socket: "sip", worker: "" };
    put(sipMetrics.receiveBuffer, receiveBufferBytes, socket);
    put(sipMetrics.kernelDrops, await readKernelDrops(host, udp.port), socket);
  };
}
