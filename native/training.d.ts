// The soft-PQ training operators: load @tensorflow/tfjs-node first, whose TensorFlow library they become part of.

/**
 * Makes the operators `LutnnSoftLookup`, `LutnnSoftLookupGrad` and `LutnnTable` known to TensorFlow (their inputs and
 * attributes: src/training/soft_operators.h); later calls change nothing. They run on threads of their own, at first as
 * many as the machine has cores, and with the instruction set that LUTNN_FORCE_ISA names, else the fastest.
 * Throws where LUTNN_FORCE_ISA is not available or another copy of this file has registered them.
 */
export function register(): { isa: string; threads: number };

/** Threads that the operators use from now on, 1 … 1024; results do not depend on it. */
export function setThreads(count: number): void;
