import { render } from "preact";
import { AdminApi } from "./api/client.ts";
import { Dashboard } from "./store/dashboard.ts";
import { viewOf } from "./store/view.ts";
import { App } from "./views/app.tsx";

/** The page stands at `/admin/`; relative, so that it works under any path. */
const api = new AdminApi(new URL("../api/", location.href).href, (url, init) => fetch(url, init));

let waiting = false;

/** However much has changed: once in a frame, and not at all while nobody looks. */
function changed(): void {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

const dashboard = new Dashboard({ api, openEvents: (url) => new EventSource(url), onChange: changed });

function draw(): void {
  const place = document.getElementById("dashboard");
  const { clockAhead } = dashboard.state;
  if (place !== null)
    render(<App dashboard={dashboard} state={dashboard.state} now={Date.now() + clockAhead} />, place);
}

// Durations tick.
setInterval(changed, 1000);
addEventListener("hashchange", () => dashboard.show(viewOf(location.hash)));
dashboard.show(viewOf(location.hash));
void dashboard.start();
draw();
