export type * from "./flow.ts";
export { openUdpTransport, type UdpCounters, type UdpTransport, type UdpTransportOptions } from "./udp.ts";
