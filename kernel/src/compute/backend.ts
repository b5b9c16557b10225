import type * as Native from "lutnn-native";

type NativeModule = typeof Native;

let loaded: { module: NativeModule } | { reason: string } | undefined;

function load(): { module: NativeModule } | { reason: string } {
  if (!loaded)
    try {
      loaded = { module: require("lutnn-native") as NativeModule };
    } catch (error) {
      loaded = { reason: error instanceof Error ? error.message : String(error) };
      process.emitWarning(
        `the lookup backend does not load, so slow plain loops run instead: ${loaded.reason}`,
        {
          type: "LutnnWarning",
        },
      );
    }
  return loaded;
}

/** The native backend, or null when it does not load; {@link nativeStatus} says why. */
export function nativeBackend(): NativeModule | null {
  const state = load();
  return "module" in state ? state.module : null;
}

/** Whether the native backend runs, and with which instruction set. */
export function nativeStatus():
  | { available: true; isa: string; availableIsas: string[] }
  | { available: false; reason: string } {
  const state = load();
  return "module" in state
    ? { available: true, isa: state.module.isa, availableIsas: state.module.availableIsas() }
    : { available: false, reason: state.reason };
}
