// What to try when a step of the set-up fails: by what was printed, else by what the step does.

const again = "run the same command again: finished steps are kept";
export const tryAgain = `${again}. If it fails again, look at the lines above.`;
export const network = `check the connection and ${again}. Behind a mirror, set it in your npm and pip settings.`;

/** Of causes that any step may meet, how they show in what npm, pip, CMake and Node print. */
const causes = [
  {
    sign: /ENOSPC|No space left on device|Disk quota exceeded|EDQUOT/,
    remedy: `make room on the disk (about 2.5 GB are needed) and ${again}.`,
  },
  {
    sign: /\bEACCES\b|\bEPERM\b|\bEROFS\b|Permission denied|Read-only file system/,
    remedy: `make the folder that is named above writable for you (perhaps another user ran the set-up before) and ${again}.`,
  },
  {
    sign: /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|NewConnectionError|Failed to establish a new connection|Temporary failure in name resolution|ReadTimeoutError/,
    remedy: network,
  },
  {
    sign: /do not match the hashes|EINTEGRITY/i,
    remedy: `what came over the network is not what the lock file names: a mirror or a proxy changed it. Try another one and ${again}.`,
  },
];

/** @param {string} printed @param {string} otherwise what the step itself advises */
export const remedyFor = (printed, otherwise) =>
  causes.find(({ sign }) => sign.test(printed))?.remedy ?? otherwise;
