// A roll: everybody at one tap, and how many are ticked.
"use strict";
document.querySelectorAll("[data-roll]").forEach((form) => {
  const boxes = [...form.querySelectorAll("input[type=checkbox]:not(:disabled)")];
  const all = form.querySelector("[data-all]");
  const count = form.querySelector("[data-count]");
  const tell = () => { count.textContent = `已勾 ${boxes.filter((box) => box.checked).length} / ${boxes.length} 人`; };
  all.hidden = boxes.length < 2;
  all.addEventListener("click", () => { boxes.forEach((box) => { box.checked = true; }); tell(); });
  form.addEventListener("change", tell);
  if (boxes.length) { tell(); }
});
