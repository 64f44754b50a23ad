import { render } from "preact";

const place = document.getElementById("dashboard");
if (place !== null) render(<main>Jackfield</main>, place);
