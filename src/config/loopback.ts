/** An IPv4 address, with or without a port, that does not leave this machine. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.");
}

/** Plain HTTP to another machine than this one. */
export function goesInTheClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  // A name may begin with 127. as well.
  return protocol === "http:" && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
