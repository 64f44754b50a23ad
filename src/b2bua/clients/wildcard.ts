/** Whether `text` fits `pattern`, where `*` stands for any characters or none; case counts not. Linear in the text. */
export function fitsWildcard(pattern: string, text: string): boolean {
  const pieces = pattern.toLowerCase().split("*");
  const whole = text.toLowerCase();
  const first = pieces[0] ?? "";
  const last = pieces.at(-1) ?? "";
  if (pieces.length === 1) return whole === first;
  if (!whole.startsWith(first) || !whole.endsWith(last) || whole.length < first.length + last.length)
    return false;
  let position = first.length;
  const end = whole.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = whole.indexOf(piece, position);
    if (found < 0 || found + piece.length > end) return false;
    position = found + piece.length;
  }
  return true;
}
