// What cells find on globalThis besides Node's own. The compiler reads the declarations that are made from this file.

declare global {
  /**
   * Asks the user for a line of text and waits for it; nothing else happens in the kernel meanwhile.
   * `lutnn.input` does the same without waiting.
   * @param preset the answer when the user enters nothing
   */
  function prompt(message?: string, preset?: string): string | null;
}

export {};
