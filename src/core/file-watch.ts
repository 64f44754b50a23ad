import { realpathSync, statSync, unwatchFile, watch, watchFile, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";
import type { Clock, Timer } from "./clock.ts";
import type { Logger } from "./logger.ts";

export interface FileWatchOptions {
  /** Paths; they need not exist yet. */
  readonly files: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  /** How long no further change must come, so that all files of one change are written, ms. Default 500. */
  readonly settleMs?: number;
  /** How often it is looked where the system tells nothing (NFS, a folder that was replaced), ms. Default 30,000. */
  readonly lookMs?: number;
  /** Some of the files are new, changed or gone. Must not throw; reads them itself. */
  readonly onChange: () => void;
}

/**
 * Tells once per burst of changes that files have changed: rewritten in place, renamed into place (editors, certbot), or
 * behind a symbolic link that was turned (Kubernetes' `..data`). What leaves them as they were is not told.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #names: ReadonlySet<string>;
  readonly #watchers = new Map<string, FSWatcher>();
  #seen: string;
  #settling: Timer | undefined;
  readonly #looked = (): void => this.#settle();
  #closed = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#names = new Set([...options.files.flatMap(namesOf), "..data"]);
    this.#watchFolders();
    this.#seen = fingerprint(options.files);
    const look = { persistent: false, interval: options.lookMs ?? 30_000 };
    for (const file of options.files) watchFile(file, look, this.#looked);
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#settling?.clear();
    for (const file of this.#options.files) unwatchFile(file, this.#looked);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** Folders, not files: a watch on a file stays with the old one when another is put in its place. */
  #watchFolders(): void {
    const { files, log } = this.#options;
    for (const folder of new Set(files.flatMap(foldersOf))) {
      if (this.#watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, (_event, name) => this.#told(name));
        watcher.on("error", (error) => {
          log.warn(
            { err: error, folder },
            "folder is no longer watched; its files are looked at now and then",
          );
          watcher.close();
          this.#watchers.delete(folder);
        });
        this.#watchers.set(folder, watcher);
      } catch (error) {
        log.debug({ err: error, folder }, "folder cannot be watched; its files are looked at now and then");
      }
    }
  }

  #told(name: string | null): void {
    if (name === null || this.#names.has(name)) this.#settle();
  }

  #settle(): void {
    if (this.#closed) return;
    this.#settling?.clear();
    this.#settling = this.#options.clock.setTimer(this.#options.settleMs ?? 500, () => {
      const now = fingerprint(this.#options.files);
      if (now === this.#seen) return;
      this.#seen = now;
      this.#refreshFolders();
      this.#options.onChange();
    });
  }

  /** What links lead to may be elsewhere now, and a folder of the same name another. */
  #refreshFolders(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#watchFolders();
  }
}

/** Equal as long as no file was written or replaced. */
function fingerprint(files: readonly string[]): string {
  return files.map(stampOf).join("\n");
}

function stampOf(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return "none";
  }
}

/** The file as named and as what its links lead to. */
function placesOf(file: string): string[] {
  try {
    return [file, realpathSync(file)];
  } catch {
    return [file];
  }
}

function foldersOf(file: string): string[] {
  return placesOf(file).map((place) => dirname(place));
}

function namesOf(file: string): string[] {
  return placesOf(file).map((place) => basename(place));
}
