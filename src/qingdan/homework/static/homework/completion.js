// Ticks all homework of a day that has no record yet; without a script the boxes are ticked one by one.
"use strict";
const offer = () => document.querySelectorAll("[data-pick-open]").forEach((button) => {
  button.hidden = !button.closest("section").querySelector("[data-open]");
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pick-open]");
  if (button) {
    button.closest("section").querySelectorAll("[data-open]").forEach((box) => { box.checked = true; });
  }
});
document.addEventListener("htmx:afterSwap", offer);
offer();
