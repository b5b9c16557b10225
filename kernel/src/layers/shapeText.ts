/** A shape for people, open lengths as null: "null, 28, 28, 1". */
export const shapeText = (shape: readonly (number | null)[]): string => shape.map(String).join(", ");
