export { transportParameter, type Flow, type FlowReceiver, type FlowSide } from "./flow.ts";
export { openStreamTransport, type StreamTransport } from "./stream.ts";
export type { StreamCounters, StreamLimits, StreamTransportOptions, TlsSettings } from "./stream-options.ts";
export { openUdpTransport, type UdpCounters, type UdpTransport, type UdpTransportOptions } from "./udp.ts";
