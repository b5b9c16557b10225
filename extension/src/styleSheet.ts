// Style sheets of ours are files that the page loads beside the scripts, not texts inside them.

const sheets = new Map<string, Promise<void>>();

/**
 * Puts a style sheet into the page, once. Resolves when it applies, and also where it cannot be loaded: the page is plain
 * then, but there.
 */
export function addStyleSheet(url: URL): Promise<void> {
  const there = sheets.get(url.href);
  if (there) return there;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = url.href;
  const made = new Promise<void>((resolve) => {
    for (const end of ["load", "error"]) link.addEventListener(end, () => resolve(), { once: true });
  });
  sheets.set(url.href, made);
  document.head.append(link);
  return made;
}
