import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./app";
import { me } from "./data/api";
import { connect, disconnect } from "./data/live";
import { followAddress } from "./route";
import "uplot/dist/uPlot.min.css";
import "./style/base.css";
import "./style/parts.css";
import "./style/pages.css";
import "./style/station.css";
import "./style/groups.css";
import "./style/ocpp.css";

followAddress();
connect();
effect(() => {
  if (me.value === null) disconnect();
});

const root = document.getElementById("app");
if (root) {
  root.textContent = "";
  render(<App />, root);
}
