export * from "./bert/index";
export { type ResNetOptions, resnet, resnet20 } from "./resnet";
export { type ResNet18Options, resnet18 } from "./resnet18";
export { type SeNet18Options, senet18 } from "./senet18";
export { type SmallCnnOptions, smallCnn } from "./smallCnn";
export type { NetworkForm } from "./stem";
export { type Vgg11Options, vgg11 } from "./vgg11";
export { type Vgg11SmallOptions, vgg11Small } from "./vgg11Small";
