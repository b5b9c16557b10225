import type { Draft } from "../draft";
import type { Operation } from "../operation";
import type { Value } from "../value";

/** Adds what a node computes to the network; several values for an operator of several outputs. */
export type Build = (draft: Draft, operation: Operation) => Value | Value[];

/** Builders by the operators that they read. */
export type Builders = Record<string, Build>;
