/** Red, green and blue, 0 to 255, of #rrggbb or rgb(r, g, b); an alpha is ignored. */
function channels(colour: string): number[] {
  if (colour.startsWith("#")) return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
}

function luminance(colour: number[]): number {
  const [red, green, blue] = colour.map((value) =>
    value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast ratio by WCAG 2, 1 to 21, of a colour with an opacity on an opaque background. */
export function contrast(colour: string, background: string, opacity = 1): number {
  const behind = channels(background);
  const seen = channels(colour).map((value, i) => opacity * value + (1 - opacity) * behind[i]);
  const [dark, light] = [luminance(seen), luminance(behind)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
