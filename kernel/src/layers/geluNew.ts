import * as tf from "@tensorflow/tfjs-node";

/**
 * TensorFlow.js writes the activation gelu_new into a network as "gelu_new" and reads it back as "geluNew", which it does
 * not know. Under both names, a stored network can be read.
 */
const { classNameMap } = tf.serialization.SerializationMap.getMap();
classNameMap.geluNew = classNameMap.gelu_new;
