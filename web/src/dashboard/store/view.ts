/** What is looked at, as it stands behind `#` in the address. */
export type View =
  | { readonly kind: "now" | "calls" | "agents" | "past" | "log" }
  | { readonly kind: "call"; readonly id: string };

const kinds = ["now", "calls", "agents", "past", "log"] as const;

export function viewOf(hash: string): View {
  const text = hash.replace(/^#/, "");
  if (text.startsWith("call=")) {
    const id = decoded(text.slice(5));
    if (id !== "") return { kind: "call", id };
  }
  return { kind: kinds.find((kind) => kind === text) ?? "now" };
}

export function callHash(id: string): string {
  return `#call=${encodeURIComponent(id)}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A half-copied link: nothing is found by it, and that is said.
    return text;
  }
}
