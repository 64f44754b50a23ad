/** What of a line is no comment, `\;` made `;`; and how deep in `;-- --;` comments the next line begins. */
export function withoutComments(
  line: string,
  depth: number,
): { readonly text: string; readonly depth: number } {
  let text = "";
  let place = 0;
  while (place < line.length) {
    if (depth > 0) {
      // The next mark is looked for in one go, so that a long line costs no more than its length.
      const mark = /;--(?!-)|--;/g;
      mark.lastIndex = place;
      const found = mark.exec(line);
      if (!found) break;
      depth += found[0] === "--;" ? -1 : 1;
      place = mark.lastIndex;
    } else if (line.startsWith("\\;", place)) {
      text += ";";
      place += 2;
    } else if (line[place] === ";") {
      if (!/^;--(?!-)/.test(line.slice(place, place + 4))) break;
      depth = 1;
      place += 3;
    } else text += line[place++];
  }
  return { text, depth };
}
