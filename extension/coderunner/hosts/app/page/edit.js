// Editing a message of one's own in place.
(() => {
  let asked = 0;

  function begin(own) {
    if (own.querySelector(".cr-edit")) return;
    const form = document.createElement("form");
    form.className = "cr-edit";
    form.innerHTML = '<textarea aria-label="Edit the message" rows="1"></textarea><div class="cr-deeds">'
      + '<button type="button">Cancel</button><button type="submit" class="cr-main">Send</button></div>';
    const [area, cancel, send] = form.querySelectorAll("textarea, button");
    const { crCurrent: conversation } = document.querySelector("#cr-list nav")?.dataset ?? {};
    area.value = own.dataset.crText;
    // As high as its text.
    const fit = () => {
      area.style.height = "auto";
      area.style.height = `${Math.min(area.scrollHeight + 2, innerHeight / 2)}px`;
    };
    const end = () => {
      form.remove();
      own.querySelector('[data-cr="edit"]')?.focus();
    };
    area.addEventListener("input", fit);
    cancel.addEventListener("click", end);
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") end();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (document.querySelector("#cr-box .stop-button")) {
        send.textContent = "Stop the reply first";
        setTimeout(() => { send.textContent = "Send"; }, 2000);
        return;
      }
      if (!area.value.trim()) return;
      const message = Number(own.dataset.crMessage);
      window.coderunner.tell("cr-edited", JSON.stringify({ conversation, message, text: area.value, number: ++asked }));
      end();
    });
    own.append(form);
    fit();
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }

  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element && target.closest('.cr-html .cr-own [data-cr="edit"]');
    if (button) begin(button.closest(".cr-own"));
  });
})();
