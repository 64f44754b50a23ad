import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";

export interface BrowserOptions {
  /** WAV file played once as the microphone (`getUserMedia`); without it Chromium's fake device beeps. */
  readonly fakeMicrophoneWav?: string;
  /** Default 1280 x 800. */
  readonly viewport?: { readonly width: number; readonly height: number };
  /** `deny`: the page is refused the microphone. Default `allow`. */
  readonly microphone?: "allow" | "deny";
  readonly extraArgs?: readonly string[];
}

export interface TestBrowser {
  readonly context: BrowserContext;
  /** Opens a page; what it logs as an error or throws is kept in `errors`. */
  open(url: string): Promise<Page>;
  readonly errors: readonly string[];
  close(): Promise<void>;
}

/** Chromium's own traffic off (this machine may have no network), sound without devices, loopback ICE candidates. */
const ARGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows",
  "--autoplay-policy=no-user-gesture-required",
  "--use-fake-device-for-media-stream",
  // Without a network card but loopback there would be no candidate at all.
  "--allow-loopback-in-peer-connection",
  "--disable-features=WebRtcHideLocalIpsWithMdns,LocalNetworkAccessChecks",
];

/** Starts Debian's Chromium with an empty profile of its own. */
export async function launchBrowser(options: BrowserOptions = {}): Promise<TestBrowser> {
  const profile = mkdtempSync(join(tmpdir(), "jackfield-chromium-"));
  const wav = options.fakeMicrophoneWav;
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env["JACKFIELD_CHROMIUM"] ?? "/usr/bin/chromium",
    headless: true,
    chromiumSandbox: process.getuid?.() !== 0,
    viewport: options.viewport ?? { width: 1280, height: 800 },
    args: [
      ...ARGS,
      ...(options.microphone === "deny" ? ["--deny-permission-prompts"] : ["--use-fake-ui-for-media-stream"]),
      ...(wav === undefined ? [] : [`--use-file-for-fake-audio-capture=${wav}%noloop`]),
      ...(options.extraArgs ?? []),
    ],
  });
  const errors: string[] = [];
  return {
    context,
    errors,
    async open(url) {
      const page = await context.newPage();
      page.on("pageerror", (error) => errors.push(`${error.name}: ${error.message}`));
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      await page.goto(url);
      return page;
    },
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
