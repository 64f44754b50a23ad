import type { Section } from "./config-file.ts";
import type { PjsipObject } from "./objects.ts";
import { listOf } from "./objects.ts";
import type { Findings } from "./report.ts";
import type { Roles } from "./roles.ts";

/** Asterisk's names of what we have. */
const codecNames: Readonly<Record<string, string>> = {
  ulaw: "pcmu",
  alaw: "pcma",
  g722: "g722",
  opus: "opus",
  g711u: "pcmu",
  g711a: "pcma",
};
const mostCodecs = 100;
const browserCodecs = ["opus", "pcmu", "pcma"];

/** Codecs of an endpoint as its `disallow` and `allow` lines leave them, in order, in our names; `others`: those we lack. */
export function codecsOf(endpoint: PjsipObject): { readonly known: string[]; readonly others: string[] } {
  let names: string[] = [];
  for (const { key, value } of endpoint.settings) {
    if (key !== "allow" && key !== "disallow") continue;
    for (const word of listOf(value.toLowerCase())) {
      if (names.length > mostCodecs) break;
      const isOut = key === "disallow" || word.startsWith("!");
      const name = word.replace(/^!/, "").replace(/:\d+$/, "");
      if (name === "all") names = isOut ? [] : Object.keys(codecNames);
      else names = [...names.filter((one) => one !== name), ...(isOut ? [] : [name])];
    }
  }
  const known = [...new Set(names.flatMap((name) => codecNames[name] ?? []))];
  return { known, others: names.filter((name) => codecNames[name] === undefined) };
}

/** Ports that workers may take toward browsers, from `media.browserPort` on. */
const mostWorkers = 64;
const usualBrowserPort = 20_100;
const usualPorts = { first: 10_000, last: 20_000 } as const;

/** Section `media`, with its `addresses`. `general`: [general] of rtp.conf, where it was named. */
export function planMedia(
  roles: Roles,
  general: Section | undefined,
  addresses: Record<string, unknown>,
  findings: Findings,
): Record<string, unknown> {
  const rtpPorts = portsOf(general, findings);
  const codecs = {
    browserCodecs: agreed(roles.agents, "browserCodecs", browserCodecs, findings),
    trunkCodecs: agreed(roles.trunks, "trunkCodecs", ["g722", "pcmu", "pcma", "opus"], findings),
  };
  return {
    ...addresses,
    browserPort: browserPortBeside(rtpPorts, findings),
    rtpPorts,
    ...Object.fromEntries(Object.entries(codecs).filter(([, list]) => list.length > 0)),
  };
}

function portsOf(general: Section | undefined, findings: Findings): [number, number] {
  const number = (key: string): number | undefined => {
    const value = general?.settings.findLast((one) => one.key === key)?.value ?? "";
    return /^\d{1,5}$/.test(value) ? Number(value) : undefined;
  };
  const [first, last] = [number("rtpstart"), number("rtpend")];
  if (first === undefined || last === undefined || first < 1024 || last > 65_535 || last - first < 3) {
    if (general)
      findings.add(
        "decide",
        "rtpstart, rtpend",
        `no range that can be taken over: media.rtpPorts is ${usualPorts.first} to ${usualPorts.last}`,
        general.at,
      );
    else
      findings.add(
        "decide",
        "media.rtpPorts",
        `no rtp.conf was named: ${usualPorts.first} to ${usualPorts.last}; give rtp.conf too, or write the ports your firewall has open`,
      );
    return [usualPorts.first, usualPorts.last];
  }
  const calls = Math.floor((last - first + 1) / 2);
  findings.add(
    "mapped",
    `rtpstart = ${first}, rtpend = ${last}`,
    `media.rtpPorts: toward SIP Server only, two ports a call (room for ${calls} calls)`,
    general?.at,
  );
  if (calls < 100)
    findings.add(
      "decide",
      "media.rtpPorts",
      `has room for ${calls} calls, those that ring and consult ones counted: more get 503. Widen it here and in the firewall`,
      general?.at,
    );
  if (last >= 32_768 && first <= 60_999)
    findings.add(
      "decide",
      "media.rtpPorts",
      "reaches into Linux's range of outgoing ports (32768-60999): calls may find their port taken. Better below 32768",
      general?.at,
    );
  return [first, last];
}

function browserPortBeside([first, last]: readonly [number, number], findings: Findings): number {
  const isFree = (port: number): boolean => port > last || port + mostWorkers < first;
  const port =
    [usualBrowserPort, last + 100 - (last % 100), first - 100].find(
      (one) => isFree(one) && one > 1024 && one + mostWorkers < 65_536,
    ) ?? 0;
  findings.add(
    "decide",
    "firewall toward browsers",
    `media.browserPort: ${port}, one UDP port and one more for each worker; Asterisk took browsers' sound on its RTP range, which need no longer be open to them`,
  );
  return port;
}

/** The order most endpoints of a kind have. */
function agreed(
  endpoints: readonly PjsipObject[],
  key: string,
  usable: readonly string[],
  findings: Findings,
): string[] {
  const orders = new Map<string, number>();
  for (const endpoint of endpoints) {
    const { known, others } = codecsOf(endpoint);
    for (const other of others)
      findings.add(
        "lost",
        `allow = ${other}`,
        `media.${key} has no such codec; Jackfield speaks Opus, G.722 and G.711`,
        endpoint.setting("allow")?.at ?? endpoint.at,
      );
    const order = known.filter((codec) => usable.includes(codec)).join(",");
    if (order !== "") orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  const all = [...orders].toSorted(([, one], [, other]) => other - one).map(([order]) => order);
  const most = all[0];
  if (most === undefined) return [];
  findings.add(
    "mapped",
    `codecs of ${key === "browserCodecs" ? "agents" : "SIP Server"}`,
    `media.${key}: [${most.replaceAll(",", ", ")}]`,
  );
  if (all.length > 1)
    findings.add(
      "decide",
      `media.${key}`,
      `is one order for all; endpoints differed (also ${all
        .slice(1, 4)
        .map((order) => `[${order}]`)
        .join(", ")})`,
    );
  return most.split(",");
}
