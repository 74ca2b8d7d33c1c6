import { render } from "preact";
import { App } from "./app";
import { connect } from "./data";
import { followAddress } from "./place";
import "uplot/dist/uPlot.min.css";
import "../style/base.css";
import "../style/parts.css";
import "../style/pages.css";
import "../style/station.css";
import "./page.css";

followAddress();
connect();

const root = document.getElementById("app");
if (root) {
  root.textContent = "";
  render(<App />, root);
}
