import { BlockList, isIPv4 } from "node:net";

/** Tells whether an address is in a list of IPv4 addresses and nets (`10.0.0.0/8`), written as the configuration takes them. */
export function addressList(entries: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", bits] = entry.split("/");
    if (bits === undefined) list.addAddress(address);
    else list.addSubnet(address, Number(bits));
  }
  return (address) => isIPv4(address) && list.check(address);
}
