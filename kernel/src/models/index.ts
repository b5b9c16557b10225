export { type ResNetOptions, resnet, resnet20 } from "./resnet";
export { type SmallCnnOptions, smallCnn } from "./smallCnn";
export { type Vgg11SmallOptions, vgg11Small } from "./vgg11Small";
