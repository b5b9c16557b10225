// A Slurm of one node in a folder of its own: munged, slurmctld and slurmd on the loopback, started and ended by their ids.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const programs = ["munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel"];

/** Why there can be no Slurm here, or null. */
export function noSlurm() {
  const missing = programs.filter((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0);
  if (missing.length > 0)
    return `${missing.join(", ")} are missing; apt-get install slurmctld slurmd slurm-client munge`;
  return process.getuid() === 0 ? null : "its daemons want root";
}

function configuration(folder) {
  const host = hostname().split(".")[0];
  const at = (name) => join(folder, name);
  return `ClusterName=lutnn
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=36817
SlurmdPort=36818
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket=${at("munge.socket")}
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=${at("state")}
SlurmdSpoolDir=${at("spool")}
SlurmctldPidFile=${at("slurmctld.pid")}
SlurmdPidFile=${at("slurmd.pid")}
SlurmctldLogFile=${at("slurmctld.log")}
SlurmdLogFile=${at("slurmd.log")}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=0
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
MinJobAge=600
MpiDefault=none
NodeName=${host} NodeAddr=127.0.0.1 CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=64000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
SlurmdParameters=config_overrides
`;
}

/**
 * Snakemake's job step takes every variable SLURM_… away from the `srun` that it starts, where this Slurm is among them: a
 * folder with an `srun` that knows.
 */
function programsThatKnow(folder, conf) {
  mkdirSync(join(folder, "bin"), { recursive: true });
  const { stdout } = spawnSync("sh", ["-c", "command -v srun"], { encoding: "utf8" });
  const script = `#!/bin/sh\nSLURM_CONF='${conf}' exec '${stdout.trim()}' "$@"\n`;
  writeFileSync(join(folder, "bin/srun"), script, { mode: 0o755 });
  return join(folder, "bin");
}

/** Starts it; answers with the environment for its commands, and how to end it. */
export async function startSlurm(folder) {
  for (const name of ["state", "spool"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "munge.key"), randomBytes(64), { mode: 0o600 });
  writeFileSync(join(folder, "slurm.conf"), configuration(folder));
  const conf = join(folder, "slurm.conf");
  const path = `${programsThatKnow(folder, conf)}:${process.env.PATH}`;
  const env = { ...process.env, SLURM_CONF: conf, PATH: path };
  const munge = ["key-file=munge.key", "socket=munge.socket", "pid-file=munge.pid", "log-file=munge.log"];
  const words = [...munge, "seed-file=munge.seed"].map((word) => {
    const [name, file] = word.split("=");
    return `--${name}=${join(folder, file)}`;
  });
  const started = [];
  const start = (program, ...rest) => started.push(spawn(program, rest, { env, stdio: "ignore" }));
  start("munged", "--foreground", "--force", ...words);
  await delay(1000); // its socket; sinfo below waits for the others
  start("slurmctld", "-D", "-i");
  start("slurmd", "-D");
  for (let tries = 0; ; tries++) {
    const { stdout } = spawnSync("sinfo", ["-h", "-o", "%t"], { env, encoding: "utf8" });
    if (/idle|mix|alloc/.test(stdout)) break;
    if (tries === 60) throw new Error(`Slurm's node must be idle (got ${stdout}); see ${folder}/*.log`);
    await delay(500);
  }
  const end = async () => {
    spawnSync("scancel", ["--partition=main"], { env });
    for (const child of started.reverse()) {
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGTERM");
      await ended;
    }
  };
  return { env, end };
}
