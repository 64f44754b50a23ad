import { join } from "node:path";
import { limitedWarn, type Clock, type Logger, type Random } from "../core/index.ts";
import { CertificateWatch } from "./certificate/watch.ts";
import type {
  BridgeSettings,
  CertificateView,
  CredentialStore,
  LocalCertificate,
  Machine,
} from "./contract.ts";
import { Dashboard, type DashboardAct } from "./dashboard/dashboard.ts";
import { DashboardReaders } from "./dashboard/readers.ts";
import { GatewayClient } from "./gateway/client.ts";
import { GatewayLink } from "./gateway/link.ts";
import { Watch } from "./gateway/watch.ts";
import { Forward } from "./local/forward.ts";
import { OriginRule } from "./local/origins.ts";
import { LocalServer } from "./local/server.ts";
import { readLogLine } from "./log/read-line.ts";
import { BridgeState, type BridgeView } from "./state.ts";
import { AppWindow } from "./window/app-window.ts";

export interface BridgeOptions {
  readonly settings: BridgeSettings;
  readonly version: string;
  readonly certificate: LocalCertificate;
  /** How long the certificate is good, and who trusts it, as it is now. */
  readonly viewCertificate: () => Promise<CertificateView>;
  readonly credentials: CredentialStore;
  /** Who may sign the gateway's certificate, PEM. */
  readonly authorities: readonly string[];
  readonly machine: Machine;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Last lines of the log, oldest first, for the dashboard. */
  readonly logTail: () => readonly string[];
  /** The dashboard's button: undefined when the bridge will begin anew, else why not. */
  readonly restart: () => Promise<string | undefined>;
}

const shownLines = 100;

/** The service on the agent's PC: WWE's requests to the gateway, the window with the sound, the dashboard. */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #state: BridgeState;
  readonly #link: GatewayLink;
  readonly #window: AppWindow;
  readonly #watch: Watch;
  readonly #certificate: CertificateWatch;
  readonly #readers: DashboardReaders;
  readonly #server: LocalServer;
  #closing: Promise<void> | undefined;

  private constructor(options: BridgeOptions) {
    this.#options = options;
    const { settings, clock, log, version } = options;
    this.#link = this.#makeLink();
    this.#window = this.#makeWindow();
    this.#state = new BridgeState(clock, log, {
      version,
      gateway: this.#link.view,
      window: this.#window.view,
    });
    this.#readers = new DashboardReaders(clock, () => ({
      view: this.#state.view,
      log: options.logTail().slice(-shownLines).map(readLogLine).toReversed(),
    }));
    this.#state.changes.on("change", () => this.#readers.tell());
    const [link, state, readers] = [this.#link, this.#state, this.#readers];
    const onRegistered = (registered: boolean): void => {
      if (settings.window === "on-register") this.#window.want(registered);
    };
    this.#watch = new Watch({
      link,
      state,
      clock,
      often: () => readers.count > 0,
      onStatus: (status) => {
        // WWE registers once a day, and this bridge may have begun since.
        if (status.wanted) onRegistered(true);
        this.#window.look(status);
      },
    });
    this.#certificate = new CertificateWatch({
      view: options.viewCertificate,
      clock,
      log,
      often: () => readers.count > 0,
      onView: (view) => this.#sawCertificate(view),
    });
    const origins = new OriginRule(settings.origins, link, clock);
    const warn = limitedWarn(log, clock);
    const forward = new Forward({ link, origins, state, warn, onRegistered });
    const { random } = options;
    const dashboard = new Dashboard({ readers, random, log, act: (act) => this.#act(act) });
    this.#server = new LocalServer({
      port: settings.port,
      certificate: options.certificate,
      log,
      warn,
      answer: async (request, response) => {
        const path = request.url ?? "";
        if (path === "/") return { status: 302, headers: { location: "/dashboard" } };
        if (path === "/favicon.ico") return { status: 204 };
        if (/^\/dashboard(?:$|[/?])/.test(path)) return await dashboard.answer(request, response);
        return await forward.answer(request);
      },
    });
  }

  /** Rejects when the port cannot be had. */
  static async open(options: BridgeOptions): Promise<Bridge> {
    const bridge = new Bridge(options);
    await bridge.#server.listen();
    bridge.#state.tell(`listens at https://127.0.0.1:${bridge.port}`);
    await bridge.#link.prepare();
    bridge.#watch.begin();
    bridge.#certificate.begin();
    if (options.settings.window === "always") bridge.#window.want(true);
    return bridge;
  }

  get port(): number {
    return this.#server.port;
  }

  get view(): BridgeView {
    return this.#state.view;
  }

  /** Idempotent: the port first, then the window's program, the gateway's connections. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#readers.close();
    this.#watch.close();
    this.#certificate.close();
    await this.#server.close();
    await this.#window.close();
    this.#link.close();
    this.#state.changes.removeAllListeners();
  }

  #makeLink(): GatewayLink {
    const { settings, credentials, authorities, clock, log } = this.#options;
    return new GatewayLink({
      url: settings.gateway.url,
      credentials,
      makeClient: (url) => new GatewayClient({ url, authorities, clock }),
      clock,
      log,
      onChange: (view) => {
        const { gateway: before } = this.#state.view;
        this.#state.change({ gateway: view });
        if (view.problem !== undefined && view.problem !== before.problem) this.#state.tell(view.problem);
        else if (view.reachable === true && before.reachable !== true)
          this.#state.tell("the gateway answers");
      },
    });
  }

  #makeWindow(): AppWindow {
    const { settings, machine, clock, log } = this.#options;
    return new AppWindow({
      machine,
      ...settings.browser,
      profile: join(settings.folder, "browser"),
      address: () => this.#link.pageAddress(),
      pageConnected: async () => (await this.#link.status())?.pageConnected,
      clock,
      log,
      onChange: (view) => {
        if (view.problem !== undefined && view.problem !== this.#state.view.window.problem)
          this.#state.tell(view.problem);
        else if (view.state === "open") this.#state.tell("the window is open");
        this.#state.change({ window: view });
      },
    });
  }

  #sawCertificate(certificate: CertificateView): void {
    const { remedy } = certificate;
    if (remedy !== undefined && remedy !== this.#state.view.certificate?.remedy)
      this.#state.tell(`the certificate may keep WWE out: ${remedy}`);
    this.#state.change({ certificate });
  }

  async #act(act: DashboardAct): Promise<string> {
    if (act === "test") {
      await this.#certificate.look();
      return await this.#watch.test();
    }
    const status = await this.#link.status();
    const inCall = status?.inCall === true;
    const isOpen = this.#window.view.state === "open";
    // Its page may carry a call all the same, and no other page could be opened now.
    if (isOpen && status === undefined && this.#link.view.reachable === false)
      return `Not ${act === "window" ? "opened anew" : "restarted"}: the gateway cannot be asked whether the agent has a call. Close the window first.`;
    if (act === "window") {
      // One whose page is not connected carries no call any more.
      if (inCall && status.pageConnected !== false && isOpen)
        return "Not opened anew: the agent has a call, which the window would take with it.";
      await this.#window.show();
      return "The window is being opened.";
    }
    if (inCall) return "Not restarted: the agent has a call, which the window would take with it.";
    const fault = await this.#options.restart();
    return fault === undefined ? "The bridge begins anew." : `Not restarted: ${fault}`;
  }
}
