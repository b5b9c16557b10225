/**
 * One stop of the Tab key for a toolbar: arrow keys go from one of its controls to the next (APG's toolbar pattern). In a
 * field, the arrow keys stay the field's own, but for those it does not use.
 */
export function roveToolbar(toolbar: HTMLElement): void {
  const controls = (): HTMLElement[] =>
    [...toolbar.querySelectorAll<HTMLElement>("button, select, input")].filter(({ hidden }) => !hidden);
  const only = (chosen: HTMLElement): void => {
    for (const control of controls()) control.tabIndex = control === chosen ? 0 : -1;
  };
  const [first] = controls();
  if (first) only(first);
  toolbar.addEventListener("focusin", ({ target }) => {
    if (target instanceof HTMLElement && controls().includes(target)) only(target);
  });
  toolbar.addEventListener("keydown", (event) => {
    const all = controls();
    const at = all.indexOf(event.target as HTMLElement);
    if (at < 0) return;
    const to: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: all.length - 1,
    };
    if (!Object.hasOwn(to, event.key)) return;
    event.preventDefault();
    all[(to[event.key] + all.length) % all.length].focus();
  });
}
