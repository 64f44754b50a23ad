import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** One line of the table; a column without a figure stays empty. */
export interface Row {
  readonly scenario: string;
  readonly path: string;
  readonly snr?: number;
  readonly stoi?: number;
  readonly snrNothing?: number;
  readonly stoiNothing?: number;
  /** SNR in the lost frames alone. */
  readonly covered?: number;
  readonly lag?: number;
  readonly levelDb?: number;
  readonly note?: string;
}

const columns = [
  ["path", 24],
  ["scenario", 26],
  ["SNR dB", 7],
  ["STOI", 7],
  ["nothing: SNR", 13],
  ["STOI", 7],
  ["covered dB", 11],
  ["lag", 5],
  ["level dB", 9],
  ["note", 0],
] as const;

/** Writes measured figures to `test/results/<name>.md` and to the log. */
export class Results {
  readonly #file: string;
  readonly #lines: string[] = [];

  constructor(name: string) {
    const folder = join(import.meta.dirname, "..", "..", "results");
    mkdirSync(folder, { recursive: true });
    this.#file = join(folder, `${name}.md`);
    const head = columns.map(([title, width]) => title.padEnd(width));
    writeFileSync(
      this.#file,
      `| ${head.join(" | ")} |\n|${head.map((cell) => "-".repeat(cell.length + 2)).join("|")}|\n`,
    );
  }

  add(row: Row): void {
    const figure = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? "";
    const cells = [
      row.path,
      row.scenario,
      figure(row.snr, 1),
      figure(row.stoi, 3),
      figure(row.snrNothing, 1),
      figure(row.stoiNothing, 3),
      figure(row.covered, 1),
      figure(row.lag, 0),
      figure(row.levelDb, 2),
      row.note ?? "",
    ];
    const line = `| ${cells.map((cell, index) => cell.padEnd(columns[index]?.[1] ?? 0)).join(" | ")} |`;
    appendFileSync(this.#file, `${line}\n`);
    this.#lines.push(line);
  }

  /** Prints the table; call once, at the end. */
  print(): void {
    console.log(["", ...this.#lines].join("\n"));
  }
}
