// Ticking all of a page, and saying how many are ticked. Without this the list works one by one.
"use strict";
const ticks = () => [...document.querySelectorAll('#many input[name="finding"]')];
const tell = () => {
  const shown = document.querySelector("[data-ticked]");
  if (shown) {
    const count = ticks().filter((each) => each.checked).length;
    shown.textContent = count ? `已选 ${count} 个` : "";
  }
  const all = document.querySelector("[data-tick-all]");
  if (all) { all.hidden = false; }
};
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-tick-all]")) { ticks().forEach((each) => { each.checked = event.target.checked; }); }
  tell();
});
document.addEventListener("htmx:afterSettle", tell);
tell();
