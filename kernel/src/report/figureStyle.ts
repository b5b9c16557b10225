// What every drawing of a figure shares, be it SVG, plotly in a page, or JupyterLab: colours, sizes, fonts. Imports
// nothing.

/** The page that a figure stands on. */
export type Appearance = "light" | "dark";

/**
 * Colours of series, in order of use; the last is grey, for what others are compared with. Each contrasts by at least
 * 3:1 with its page. The first five differ for eyes without red, green or blue cones as well, by a CIELAB distance of
 * at least 24, all eight by 18.
 */
export const palette: Record<Appearance, readonly string[]> = {
  light: ["#0b4586", "#b85200", "#1e9378", "#cf44dc", "#40251b", "#8c02ff", "#ad85bb", "#505050"],
  dark: ["#3d94ff", "#f2661a", "#4ce8b0", "#e57fc3", "#e8dc2c", "#6630f8", "#86572d", "#7c7c7c"],
};

/** Index of the palette's grey. */
export const greyColor = palette.light.length - 1;

/** Colours of text and lines on a white page, where there is no theme to ask. */
export const whitePage = {
  text: "#212121",
  mutedText: "#616161",
  grid: "#e0e0e0",
  background: "#ffffff",
} as const;

export const fontFamily = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif";

/** Sizes in pixels. */
export const sizes = {
  title: 15,
  text: 12,
  small: 11,
  lineHeight: 17,
  /** A figure in a page that leaves it the choice. */
  width: 760,
  panel: 210,
  panelGap: 44,
  edge: 16,
  line: 2,
  marker: 7,
  widestBar: 32,
} as const;

/** How marks of the same kind are told apart without colour. */
export const symbols = ["circle", "square", "diamond", "triangle-up", "star", "cross"] as const;
