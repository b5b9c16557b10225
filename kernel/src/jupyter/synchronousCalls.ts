/** What Node calls with the options of a child process that is waited for: that of execSync, execFileSync and spawnSync. */
export interface SynchronousCalls {
  spawn(options: { stdio?: unknown }): unknown;
}

/** Null where Node has no such thing. */
export function synchronousCalls(): SynchronousCalls | null {
  const { noDeprecation } = process;
  // It is no public interface, of which Node would remind the notebook's user.
  process.noDeprecation = true;
  try {
    const binding: (name: string) => Partial<SynchronousCalls> = Reflect.get(process, "binding");
    const calls = binding.call(process, "spawn_sync");
    return typeof calls.spawn === "function" ? (calls as SynchronousCalls) : null;
  } catch {
    return null;
  } finally {
    process.noDeprecation = noDeprecation;
  }
}
