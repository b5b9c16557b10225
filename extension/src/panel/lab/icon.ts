import { LabIcon } from "@jupyterlab/ui-components";

/** A table of which a row is looked up. */
export const panelIcon = new LabIcon({
  name: "lutnn:panel",
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M3 3h18v18H3zm2 2v3.2h4V5zm6 0v3.2h8V5zM5 15.8V19h4v-3.2zm6 0V19h8v-3.2z" fill-rule="evenodd"/>
  </g></svg>`,
});
