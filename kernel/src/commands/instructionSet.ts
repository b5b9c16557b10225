import { UsageError } from "./usageError";

/** What LUTNN_FORCE_ISA has wrong, with what to do, or null where the lookup backend takes it. */
function isaFault(): string | null {
  if (!process.env.LUTNN_FORCE_ISA) return null;
  try {
    require("lutnn-native");
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return reason.includes("LUTNN_FORCE_ISA")
      ? `${reason}; name one of them, or leave LUTNN_FORCE_ISA out`
      : null;
  }
}

/** Throws UsageError when LUTNN_FORCE_ISA names an instruction set that is not available here. */
export function requireKnownIsa(command: string): void {
  const fault = isaFault();
  if (fault) throw new UsageError(`${command}: ${fault}`);
}
