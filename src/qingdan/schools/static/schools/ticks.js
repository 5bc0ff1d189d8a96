// One box that ticks all others of a form.
"use strict";
document.querySelectorAll("[data-tick-all]").forEach((label) => {
  const form = label.dataset.form ? document.getElementById(label.dataset.form) : label.closest("form");
  label.hidden = false;
  label.querySelector("input").addEventListener("change", (event) => {
    for (const box of form.elements) {
      if (box.type === "checkbox" && box.name) { box.checked = event.target.checked; }
    }
  });
});
