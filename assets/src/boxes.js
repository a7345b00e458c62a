// What boxes of the page need now and then: JSON as a tree, colours that can be read.

export { tree } from "./frame/tree.js";
export { mend } from "./frame/contrast.js";
