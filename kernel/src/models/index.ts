export { type ResNet20Options, resnet20 } from "./resnet20";
export { type SmallCnnOptions, smallCnn } from "./smallCnn";
export { type Vgg11SmallOptions, vgg11Small } from "./vgg11Small";
