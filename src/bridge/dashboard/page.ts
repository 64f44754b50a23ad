/** The dashboard's page: `token` is what its acts have to bring. */
export function dashboardPage(token: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="page-token" content="${token}">
<title>Jackfield bridge</title>
<link rel="stylesheet" href="/dashboard/style.css">
<script src="/dashboard/script.js" type="module"></script>
<h1>Jackfield bridge</h1>
<p id="lost" role="alert" hidden>The bridge does not answer. Is it running?</p>
<table>
<caption>Now</caption>
<tbody id="now"></tbody>
</table>
<p>
<button type="button" data-act="test">Test connection</button>
<button type="button" data-act="window">Open window</button>
<button type="button" data-act="restart">Restart</button>
<output id="said" aria-live="polite"></output>
</p>
<h2>Events</h2>
<ol id="events"></ol>
<h2 id="log-name">Log</h2>
<ol id="log" tabindex="0" aria-labelledby="log-name"></ol>
</html>
`;
}

export const dashboardStyle = `:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2, caption { font-size: 1.1rem; font-weight: 600; text-align: left; }
table { border-collapse: collapse; }
th { text-align: left; font-weight: 400; padding-right: 2rem; vertical-align: top; white-space: nowrap; }
td::before { content: ""; display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; margin-right: .5rem; background: #888; }
td[data-well="yes"]::before { background: #188038; }
td[data-well="no"]::before { background: #c5221f; }
#lost { background: #c5221f; color: #fff; padding: .5rem 1rem; }
button { font: inherit; padding: .3rem .8rem; }
ol { list-style: none; padding: 0; } time { font-variant-numeric: tabular-nums; margin-right: 1rem; white-space: nowrap; }
#log { overflow: auto; max-height: 24rem; border: 1px solid #8888; font-size: 13px; }
#log li { display: flex; padding: .1rem .5rem; overflow-wrap: anywhere; }
#log b { flex: 0 0 3.5rem; font-weight: 400; } #log span { min-width: 0; }
#log [data-level=debug] { opacity: .75; }
#log [data-level=warn] { background: #f9ab0033; } #log [data-level=error] { background: #c5221f33; }
#log [data-level=warn] b, #log [data-level=error] b { font-weight: 700; }
`;

/** Text goes in as text (`textContent`), never as HTML: it may come from elsewhere. */
export const dashboardScript = `const byId = (id) => document.getElementById(id);
const today = () => new Date().toDateString();
const time = (iso) => {
  if (!iso) return "never";
  const at = new Date(iso);
  return at.toDateString() === today() ? at.toLocaleTimeString() : at.toLocaleString();
};
const make = (name, text) => Object.assign(document.createElement(name), { textContent: text });
let startedAt;

function certificate(seen) {
  if (!seen) return ["not looked at yet", ""];
  const { stores, daysLeft, remedy } = seen;
  const not = stores.filter(({ trusted }) => trusted === false).map(({ store }) => store).join(", ");
  const known = stores.length > 0 && stores.every(({ trusted }) => trusted !== undefined);
  const trust = not ? "not trusted by " + not : known ? "trusted" : "not known whether it is trusted";
  const left = daysLeft < 0 ? "expired" : daysLeft + " days left";
  const well = not || daysLeft < 0 ? "no" : remedy ? "" : "yes";
  return [trust + ", " + left + (remedy ? ": " + remedy : ""), well];
}

function rows(view) {
  const { gateway, wwe } = view;
  const known = (value, yes, no) => value === undefined ? ["not known", ""] : value ? [yes, "yes"] : [no, "no"];
  const reach = known(gateway.reachable, "answers", "does not answer");
  return [
    ["Gateway", (gateway.gateway ?? "none") + ": " + reach[0], reach[1]],
    ["Trouble", gateway.problem ?? "none", gateway.problem ? "no" : "yes"],
    ["Enrolled", gateway.enrolled ? "DN " + (gateway.dn ?? "not told") : "no", gateway.enrolled ? "yes" : "no"],
    ["DN at SIP Server", ...known(view.inService, "in service", "not in service")],
    ["Page with the sound", ...known(view.pageConnected, "connected", "not connected")],
    ["Window", view.window.state + (view.window.problem ? ": " + view.window.problem : ""), view.window.state === "open" ? "yes" : view.window.problem ? "no" : ""],
    ["Certificate", ...certificate(view.certificate)],
    ["WWE last seen", time(wwe.lastSeenAt) + (wwe.origin ? ", " + wwe.lastRequest + " from " + wwe.origin : ""), wwe.lastSeenAt ? "yes" : ""],
    ["Running since", new Date(view.startedAt).toLocaleString() + ", version " + view.version, "yes"],
  ];
}

function show({ view, log }) {
  // Another start has another token for its acts.
  if (startedAt !== undefined && startedAt !== view.startedAt) return location.reload();
  startedAt = view.startedAt;
  byId("lost").hidden = true;
  byId("now").replaceChildren(...rows(view).map(([name, text, well]) => {
    const row = document.createElement("tr");
    const head = make("th", name);
    head.scope = "row";
    const cell = make("td", text);
    cell.dataset.well = well;
    row.append(head, cell);
    return row;
  }));
  byId("events").replaceChildren(...view.events.map(({ at, what }) => {
    const item = document.createElement("li");
    item.append(make("time", time(at)), what);
    return item;
  }));
  showLog(log);
}

let shownLog;
/** Newest first; left alone while it is the same, so that text in it can be marked. */
function showLog(log) {
  const text = JSON.stringify(log);
  if (text === shownLog) return;
  shownLog = text;
  byId("log").replaceChildren(...log.map(({ at, level, text }) => {
    const line = document.createElement("li");
    line.dataset.level = level;
    line.append(make("time", at ? time(at) : ""), make("b", level), make("span", text));
    return line;
  }));
}

const events = new EventSource("/dashboard/events");
events.onmessage = ({ data }) => show(JSON.parse(data));
events.onerror = () => { byId("lost").hidden = false; };

const token = document.querySelector("meta[name=page-token]").content;
for (const button of document.querySelectorAll("button[data-act]"))
  button.addEventListener("click", async () => {
    byId("said").textContent = "...";
    try {
      const answer = await fetch("/dashboard/act", {
        method: "POST",
        headers: { "content-type": "application/json", "x-page-token": token },
        body: JSON.stringify({ act: button.dataset.act }),
      });
      byId("said").textContent = (await answer.json()).said;
    } catch {
      byId("said").textContent = "The bridge does not answer.";
    }
  });
`;
