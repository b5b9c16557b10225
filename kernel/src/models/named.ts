import type * as tf from "@tensorflow/tfjs-node";
import { bert } from "./bert/index";
import { resnet18 } from "./resnet18";
import { senet18 } from "./senet18";
import { vgg11 } from "./vgg11";

const small = { inputShape: [32, 32, 3], numClasses: 10 } as const;
const large = { inputShape: [224, 224, 3], numClasses: 1000 } as const;

/** The paper's networks at the sizes that it counts, by the names that its tables are kept under; weights are random. */
export const paperNetworks: Readonly<Record<string, () => tf.LayersModel>> = {
  resnet18_cifar: () => resnet18(small),
  senet18_cifar: () => senet18(small),
  vgg11_cifar: () => vgg11(small),
  resnet18_imagenet224: () => resnet18(large),
  senet18_imagenet224: () => senet18(large),
  vgg11_bn_imagenet224: () => vgg11(large),
  // All six layers replaced, as the paper counts; it replaces the last six of twelve.
  "bert-6": () => bert({ depth: 6, sequenceLength: 64 }),
};
