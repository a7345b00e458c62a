// Frames whose pages a server gives, each with policies of its own.

// A function that has an iframe load its page: what it is drawn with first, and whether outputs may run scripts.
export const served = (base) => {
  const build = new URL(import.meta.url).search; // of this program, and of all pages and programs of frames
  return (node, level, program) => {
    const page = program ? `shell_${program}.html` : "shell.html";
    node.src = new URL(`public/${level}/${page}${build}`, base).href;
  };
};
