import { LutnnError } from "../errors";

/** What was asked for cannot be done as it was asked: the command line ends with this one sentence and exit code 2. */
export class UsageError extends LutnnError {}
