// Figures of the LUT-NN paper (MobiCom 2023) and its slides, to be printed beside our own measurements and never instead of
// them.

export type PublishedNetwork = "resnet18" | "senet18" | "vgg11";
export type PublishedSet = "cifar-10" | "gtsrb" | "speech-commands" | "svhn" | "utkface" | "imagenet";

/** [LUT-NN, Maddness, dense] */
type Triple = readonly [lutNn: number, maddness: number, dense: number];

/** Top-1 accuracy in %; of UTKFace the mean absolute error in years. */
export const publishedAccuracy: Readonly<Record<PublishedNetwork, Readonly<Record<PublishedSet, Triple>>>> = {
  resnet18: {
    "cifar-10": [94.4, 10.01, 95.26],
    gtsrb: [98.73, 4.53, 98.8],
    "speech-commands": [93.7, 1.49, 91.72],
    svhn: [96.0, 20.68, 96.67],
    utkface: [4.91, 10.51, 5.57],
    imagenet: [67.38, 0.1, 69.76],
  },
  senet18: {
    "cifar-10": [94.48, 10.65, 95.47],
    gtsrb: [98.36, 5.68, 98.84],
    "speech-commands": [93.04, 1.49, 94.36],
    svhn: [96.22, 20.12, 96.6],
    utkface: [4.74, 11.02, 5.46],
    imagenet: [68.21, 0.17, 70.63],
  },
  vgg11: {
    "cifar-10": [93.89, 22.87, 95.04],
    gtsrb: [98.55, 5.7, 99.22],
    "speech-commands": [93.38, 1.49, 93.11],
    svhn: [96.23, 29.97, 96.62],
    utkface: [5.69, 24.57, 5.85],
    imagenet: [68.04, 0.16, 68.33],
  },
};

/** GLUE, %: BERT base dense and with the last six of its twelve layers as lookups. */
export const publishedGlue = {
  dense: { "sst-2": 93.5, qqp: 71.2, qnli: 90.5, rte: 66.4, average: 80.4 },
  lutNn: { "sst-2": 92.4, qqp: 69.6, qnli: 87.4, rte: 64.7, average: 78.5 },
} as const;

/** Watts of a phone's processor, by the names of `models.paperNetworks`. */
export const publishedWatts: Readonly<Record<string, { lutNn: number; tvm: number }>> = {
  "bert-6": { lutNn: 2.6, tvm: 3.7 },
  resnet18_imagenet224: { lutNn: 2.6, tvm: 3.0 },
  resnet18_cifar: { lutNn: 2.6, tvm: 3.3 },
  senet18_imagenet224: { lutNn: 2.6, tvm: 2.9 },
  senet18_cifar: { lutNn: 2.8, tvm: 3.2 },
  vgg11_bn_imagenet224: { lutNn: 2.3, tvm: 2.9 },
  vgg11_cifar: { lutNn: 2.7, tvm: 3.3 },
};

/** How many times less than in the dense network, as the slides sum it up; the two ends of each range are of these networks. */
export const publishedReduction = {
  operations: [5.7, 16],
  bytes: [3.4, 6.8],
  latency: { resnet18: 1.3, bert: 6.8 },
  memory: { vgg11: 1.4, bert: 6.5 },
} as const;

/** Milliseconds of ResNet18 in its CIFAR form on one large core of a phone. */
export const publishedResnet18Ms = { tvm: 22.23, onnxRuntime: 19.92, lutNn: 7.41 } as const;
