// The page's colours as plotly needs them, read from CSS: a MIME renderer is given no theme manager.

import { type Appearance, palette } from "../../kernel/src/report/figureStyle";

export interface Theme {
  appearance: Appearance;
  text: string;
  mutedText: string;
  grid: string;
  background: string;
  fontFamily: string;
  /** The palette's colours for it, in order of use. */
  series: readonly string[];
}

/** Reads the custom properties that style/index.css gives to `.lutnn-output`, the class of `node` or of an ancestor. */
export function readTheme(node: HTMLElement): Theme {
  const style = getComputedStyle(node);
  const appearance = document.body.dataset.jpThemeLight === "false" ? "dark" : "light";
  const value = (name: string) => style.getPropertyValue(name).trim();
  return {
    appearance,
    text: value("--lutnn-text"),
    mutedText: value("--lutnn-muted-text"),
    grid: value("--lutnn-grid"),
    background: backgroundBehind(node),
    fontFamily: value("--lutnn-font-family"),
    series: palette[appearance],
  };
}

/** What is seen behind a node: the first colour that is not clear. Plotly outlines marks in it. */
function backgroundBehind(node: HTMLElement): string {
  for (let behind: HTMLElement | null = node; behind; behind = behind.parentElement) {
    const { backgroundColor } = getComputedStyle(behind);
    if (!/^(transparent|rgba\(.*, 0\))$/.test(backgroundColor)) return backgroundColor;
  }
  return "rgb(255, 255, 255)";
}

/** Calls `listener` after each change of JupyterLab's theme, which marks the body with its name. */
export function onThemeChange(listener: () => void): MutationObserver {
  const observer = new MutationObserver(listener);
  observer.observe(document.body, { attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] });
  return observer;
}
