// Long work in short tasks: between two of them the browser draws, and hears what a person does.

const SHARE = 24; // milliseconds: to lay out and paint what is drawn in them is a task as long, whose fewer are cheaper

let ends = 0, next = null; // when this task's share ends; what comes after the task

// Resolves within this task while it has time left, else in one that has.
export async function turn() {
  while (ends && performance.now() >= ends) await next;
  if (ends) return;
  ends = performance.now() + SHARE;
  next = new Promise((done) => { setTimeout(() => { ends = 0; done(); }); });
}

// Sets the formulas of a text in the places that it has for them, as long as it is still wanted.
export async function set(place, formulas, still = () => true) {
  for (const node of place.querySelectorAll("[data-cr-formula]")) {
    await turn();
    if (!still()) return;
    const formula = formulas[node.dataset.crFormula];
    if (formula && node.isConnected) node.outerHTML = formula();
  }
}
