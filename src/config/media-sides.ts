import type { ParsedConfig } from "./schema.ts";
import type { Config, MediaSideConfig } from "./types.ts";

type ParsedMedia = ParsedConfig["media"];

/** What each side binds and is told; `0.0.0.0` among the addresses means that one is missing. */
export function mediaAddresses(
  media: ParsedMedia,
): Pick<Config["media"], "advertisedAddress" | "browserSide" | "sipServerSide"> {
  const browserSide = sideOf(media, media.browserSide);
  return {
    advertisedAddress: browserSide.advertisedAddresses[0],
    browserSide,
    sipServerSide: sideOf(media, media.sipServerSide),
  };
}

function sideOf(
  media: ParsedMedia,
  side: { readonly host?: string | undefined; readonly advertisedAddress?: string | string[] | undefined },
): MediaSideConfig {
  const host = side.host ?? media.host;
  const [first, ...others] = [side.advertisedAddress ?? []].flat();
  // Who binds a side to an interface means that interface's address, unless told otherwise.
  const own = side.host === undefined || side.host === "0.0.0.0" ? undefined : side.host;
  return { host, advertisedAddresses: [first ?? own ?? media.advertisedAddress ?? host, ...others] };
}
