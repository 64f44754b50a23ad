import { Listeners } from "../../shared/listeners.ts";
import type { CallSnapshot } from "../phone/call-snapshot.ts";
import type { PhoneSnapshot } from "../phone/phone-snapshot.ts";
import type { Phone } from "../phone/phone.ts";
import type { PhoneEvent } from "../phone/phone-event.ts";
import { countsOf, routeOf, rowsOf, type StatsRow } from "./browser-stats.ts";
import { pathState, type PathState } from "./connection.ts";
import { gatewayWays, type GatewayWays } from "../phone/gateway-events.ts";
import type { Journal } from "./journal.ts";
import { LiveQuality, type LiveSnapshot } from "./live-quality.ts";

/** How often the browser is asked how the call sounds. */
const LOOK_MS = 2000;
const ICE_EVENT = "iceconnectionstatechange";
const TURN_ERROR_EVENT = "icecandidateerror";

/** Follows the phone: how its calls sound, the path of the one that is shown, and what to write down of all. */
export class QualityWatch {
  readonly #phone: Phone;
  readonly #journal: Journal;
  readonly #changes = new Listeners<void>();
  readonly #live = new Map<string, LiveQuality>();
  #connection: RTCPeerConnection | undefined;
  #route: string | undefined;
  /** What was written down of TURN servers: browsers tell it for each of their addresses. */
  readonly #turnErrors = new Set<string>();
  #looking: ReturnType<typeof setInterval> | undefined;
  readonly #onPath = (): void => {
    this.#journal.state("path of the sound", this.path);
    this.#changes.tell();
    if (this.path === "connected") void this.#findRoute();
  };
  readonly #onTurnError = (event: RTCPeerConnectionIceErrorEvent): void => {
    const error = `TURN server ${event.url}: ${event.errorCode} ${event.errorText}`;
    if (this.#turnErrors.has(error)) return;
    this.#turnErrors.add(error);
    this.#journal.error(error);
  };

  constructor(phone: Phone, journal: Journal) {
    this.#phone = phone;
    this.#journal = journal;
    phone.onChange((snapshot) => this.#onChange(snapshot));
    phone.onEvent((event) => this.#onEvent(event));
  }

  /** @returns forgets the listener */
  onChange(listener: () => void): () => void {
    return this.#changes.add(listener);
  }

  /** How the call sounds; undefined before anything is known. */
  live(callId: string): LiveSnapshot | undefined {
    return this.#live.get(callId)?.snapshot;
  }

  get path(): PathState {
    return pathState(this.#connection?.iceConnectionState);
  }

  /** Which way the sound of the shown call goes, in words. */
  get route(): string | undefined {
    return this.#route;
  }

  /** What the browser says of the shown call's connection. */
  async stats(): Promise<StatsRow[]> {
    const { call } = this.#phone.snapshot;
    const connection = call && this.#phone.connection(call.callId);
    if (connection === undefined || connection.connectionState === "closed") return [];
    return rowsOf(await connection.getStats());
  }

  /** The microphone as the browser has it for the shown call. */
  get microphone(): object | undefined {
    const track = this.#connection?.getSenders()[0]?.track;
    return track ? { label: track.label, muted: track.muted, ...track.getSettings() } : undefined;
  }

  #onChange({ dn, socket, registration, trunk, call }: PhoneSnapshot): void {
    this.#journal.state("signed in", dn ?? "nobody");
    this.#journal.state("connection", socket);
    this.#journal.state("registration", registration);
    this.#journal.state("SIP Server", `${trunk.state}${trunk.reason === "" ? "" : ` (${trunk.reason})`}`);
    this.#follow(call && this.#phone.connection(call.callId));
    const talking = call?.phase === "talking";
    if (talking) this.#looking ??= setInterval(() => void this.#look(), LOOK_MS);
    else {
      clearInterval(this.#looking);
      this.#looking = undefined;
    }
  }

  #follow(connection: RTCPeerConnection | undefined): void {
    if (connection === this.#connection) return;
    this.#connection?.removeEventListener(ICE_EVENT, this.#onPath);
    this.#connection?.removeEventListener(TURN_ERROR_EVENT, this.#onTurnError);
    this.#connection = connection;
    this.#route = undefined;
    this.#turnErrors.clear();
    connection?.addEventListener(ICE_EVENT, this.#onPath);
    connection?.addEventListener(TURN_ERROR_EVENT, this.#onTurnError);
    this.#onPath();
  }

  async #findRoute(): Promise<void> {
    const connection = this.#connection;
    const rows = await this.stats().catch(() => []);
    if (connection === this.#connection) this.#goesBy(routeOf(rows));
  }

  #goesBy(route: string | undefined): void {
    if (route === undefined || route === this.#route) return;
    this.#route = route;
    this.#journal.state("route of the sound", route);
    this.#changes.tell();
  }

  async #look(): Promise<void> {
    const before = this.#phone.snapshot.call;
    const rows = await this.stats().catch(() => []);
    const { call } = this.#phone.snapshot;
    if (call === undefined || call.callId !== before?.callId || call.phase !== "talking") return;
    this.#goesBy(routeOf(rows));
    const counts = rows.length === 0 ? undefined : countsOf(rows, Date.now());
    this.#of(call.callId).look(counts, !call.heldHere && !call.heldThere, Date.now());
    this.#changes.tell();
  }

  #of(callId: string): LiveQuality {
    const live = this.#live.get(callId) ?? new LiveQuality();
    this.#live.set(callId, live);
    return live;
  }

  #onEvent(event: PhoneEvent): void {
    if (event.kind === "registration-failed")
      this.#journal.error(`sign-in refused: ${event.status} ${event.reason}`);
    if (event.kind === "notice" && event.problem) this.#journal.error(event.text);
    if (!("call" in event)) return;
    const { call } = event;
    if (event.kind === "quality") return this.#told(call);
    this.#note(event, call);
  }

  #told({ callId, quality }: CallSnapshot): void {
    const ways = quality?.ways;
    this.#of(callId).told(ways, Date.now());
    if (ways) this.#journal.quality(callId, `${new Date().toISOString()} ${waysWords(ways)}`);
    this.#changes.tell();
  }

  #note(event: Extract<PhoneEvent, { call: CallSnapshot }>, call: CallSnapshot): void {
    const { callId, direction, peer, since } = call;
    const over = event.kind === "ended" || event.kind === "failed";
    if (over) this.#live.delete(callId);
    const callUuid = call.data.find(({ label }) => label === "Call UUID")?.value;
    this.#journal.call(callId, {
      direction,
      peer,
      answeredAt: since,
      ...(callUuid === undefined ? {} : { callUuid }),
      ...(over ? { endedAt: Date.now(), end: endWords(event) } : {}),
    });
  }
}

function endWords(event: PhoneEvent): string {
  if (event.kind === "failed")
    return `failed${event.status === 0 ? "" : ` with ${event.status}`}: ${event.reason}`;
  if (event.kind !== "ended") return "";
  const by = event.by === "local" ? "here" : "by the far side";
  return event.reason === undefined ? `ended ${by}` : `ended ${by}: ${event.reason}`;
}

function waysWords(ways: GatewayWays): string {
  return gatewayWays
    .flatMap((way) => {
      const one = ways[way];
      if (!one) return [];
      const trip = one.roundTripMs === undefined ? "-" : Math.round(one.roundTripMs);
      return [
        `${way} ${one.mos.toFixed(1)} / ${one.lossPercent.toFixed(1)} / ${Math.round(one.jitterMs)} / ${trip}`,
      ];
    })
    .join(", ");
}
