// Programs of ours that are loaded when something needs them. Each lies beside this one, unless the page has it already.

const had = new Map();
export const have = (programs) => { for (const [name, program] of Object.entries(programs)) had.set(name, program); };
export const has = (name) => had.has(name);

export const beside = (name) => {
  const url = new URL(name, import.meta.url);
  url.search = new URL(import.meta.url).search;
  return url.href;
};

export const bring = (name) => had.get(name) ?? import(beside(name));
