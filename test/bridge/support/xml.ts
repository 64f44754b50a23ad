/** What is wrong with the elements of an XML text: left open, closed in the wrong order, or with stray `<` or `&`; else undefined. */
export function faultOfXml(xml: string): string | undefined {
  const open: string[] = [];
  const body = xml
    .replace(/^\uFEFF?<\?xml [^?]*\?>\s*(?:<!DOCTYPE [^>]*>)?/, "")
    .replaceAll(/<!--[^]*?-->/g, "");
  for (const [tag, close, name = "", attributes = "", single] of body.matchAll(
    /<(\/?)([A-Za-z][\w.]*)((?:\s+[\w:.]+="[^"<]*")*)\s*(\/?)>/g,
  )) {
    if (attributes !== "" && close === "/") return `${tag} has attributes`;
    if (close === "" && single === "") open.push(name);
    if (close === "") continue;
    const last = open.pop();
    if (last !== name) return `${tag} closes ${last ?? "nothing"}`;
  }
  const stray = /<(?![/A-Za-z])|&(?!(?:amp|lt|gt|quot|apos|#\d+);)/.exec(body);
  if (stray !== null) return `stray ${stray[0]} at ${stray.index}`;
  return open.length === 0 ? undefined : `${open.join(", ")} left open`;
}
