/** `/endpoint/{secret}/{name}`, taken apart. */
export interface EndpointPath {
  readonly secret: string;
  /** Lower case; empty where there is none. */
  readonly name: string;
}

const form = /^\/+[^/?]+\/+([^/?]+)(?:\/+([^/?]+))?\/*(?:\?|$)/;

/** What a request's URL says; slashes too many and at the end do not count, nor does the case of the name. Undefined: it is no such path. */
export function pathOf(url: string): EndpointPath | undefined {
  const [, secret, name = ""] = form.exec(url) ?? [];
  return secret === undefined ? undefined : { secret, name: name.toLowerCase() };
}
