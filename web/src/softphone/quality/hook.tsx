import type { Softphone } from "../softphone.ts";
import { ConnectionView, wordsOf } from "./connection-view.tsx";
import { diagnosticsText } from "./diagnostics.ts";
import { DiagnosticsView } from "./diagnostics-view.tsx";
import { Journal } from "./journal.ts";
import { QualityView } from "./quality-view.tsx";
import { QualityWatch } from "./quality-watch.ts";

/** Quality and connection in sight, and "Copy diagnostics" in the settings. */
export function hookQuality(softphone: Softphone): void {
  const journal = new Journal(() => Date.now());
  const watch = new QualityWatch(softphone.phone, journal);
  window.addEventListener("error", ({ message }) => journal.error(message));
  window.addEventListener("unhandledrejection", ({ reason }) => journal.error(String(reason)));
  const collect = async (): Promise<string> => {
    const { snapshot } = softphone;
    const { server, domain } = softphone.remembered;
    return diagnosticsText({
      now: Date.now(),
      page: location.href,
      scripts: Array.from(document.scripts, ({ src }) => src.split("/").at(-1) ?? ""),
      gateway: snapshot.gateway,
      userAgent: navigator.userAgent,
      dn: snapshot.dn,
      connection: wordsOf(watch, snapshot),
      journal,
      devices: await devices(),
      microphone: watch.microphone,
      settings: { server: server.split(/[?#]/, 1)[0] ?? "", domain, ...keptSettings() },
      stats: await watch.stats().catch(() => []),
    });
  };
  softphone.places.put("header", (snapshot) => <ConnectionView watch={watch} snapshot={snapshot} />);
  softphone.places.put("quality", (call) => <QualityView watch={watch} call={call} />);
  softphone.places.put("settings", () => <DiagnosticsView collect={collect} />);
}

async function devices(): Promise<string[]> {
  try {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter(({ kind }) => kind !== "videoinput").map(({ kind, label }) => `${kind}: ${label}`);
  } catch {
    return [];
  }
}

/** The page's choices that outlive it; sign-in and calls are not among them. */
function keptSettings(): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(localStorage).filter(([name]) => name.startsWith("jackfield.")));
  } catch {
    return {};
  }
}
