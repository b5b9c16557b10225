// The page's colours as plotly needs them, read from CSS: a MIME renderer is given no theme manager.

export interface Theme {
  text: string;
  mutedText: string;
  grid: string;
  background: string;
  fontFamily: string;
  /** As #rrggbb. They remain distinct with a colour vision deficiency; in order of use. */
  series: string[];
}

const seriesColours = 5;

/** Reads the custom properties that style/index.css gives to `.lutnn-output`, the class of `node` or of an ancestor. */
export function readTheme(node: HTMLElement): Theme {
  const style = getComputedStyle(node);
  const value = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: value("--lutnn-text"),
    mutedText: value("--lutnn-muted-text"),
    grid: value("--lutnn-grid"),
    background: value("--lutnn-background"),
    fontFamily: value("--lutnn-font-family"),
    series: Array.from({ length: seriesColours }, (_, i) => value(`--lutnn-series-${i + 1}`)),
  };
}

/** Calls `listener` after each change of JupyterLab's theme, which marks the body with its name. */
export function onThemeChange(listener: () => void): MutationObserver {
  const observer = new MutationObserver(listener);
  observer.observe(document.body, { attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] });
  return observer;
}
