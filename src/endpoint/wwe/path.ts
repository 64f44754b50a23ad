/** `/endpoint/{secret}/{name}`, taken apart. */
export interface EndpointPath {
  readonly secret: string;
  /** Lower case; empty where there is none. */
  readonly name: string;
}

/** What a request's URL says; slashes too many and at the end do not count, nor does the case of the name. Undefined: it is no such path. */
export function pathOf(url: string): EndpointPath | undefined {
  const [path = ""] = url.split("?", 1);
  const [, secret, name = "", more] = path.split("/").filter((part) => part !== "");
  return secret === undefined || more !== undefined ? undefined : { secret, name: name.toLowerCase() };
}
