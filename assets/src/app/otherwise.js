// What the result of a call says by itself: shown where the server has its block no more.

const IMAGES = /^image\/(png|jpeg|gif|webp)$/;

const KINDS = {
  text: ({ text }) => Object.assign(document.createElement("pre"), { textContent: text }),
  image: ({ data, mimeType }) => IMAGES.test(mimeType) && Object.assign(new Image(), { src: `data:${mimeType};base64,${data}`, alt: "" }),
};

export const shown = (content) => content.map((each) => KINDS[each.type]?.(each)).filter(Boolean);
