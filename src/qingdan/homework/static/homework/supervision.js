// On the road the connection fails: what was not saved stays on the page, says so, and is tried again by itself.
"use strict";
const kept = (event) => event.target.closest?.("form[data-keep]") ?? event.detail.elt?.closest?.("form[data-keep]");
const told = (form, text) => {
  const place = form.querySelector(".qd-saved");
  let note = place.querySelector("span");
  if (!note) {
    note = document.createElement("span");
    place.append(note);
  }
  note.className = "qd-error";
  note.textContent = text;
};
// Answers that say why something was not saved are shown like others.
document.addEventListener("htmx:beforeSwap", (event) => {
  if ([400, 409].includes(event.detail.xhr.status)) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(name, (event) => {
    const form = kept(event);
    if (form) {
      form.dataset.unsaved = "";
      told(form, "没有存上（网络不通）。内容还在，接通后会自动再存。");
    }
  });
}
document.addEventListener("htmx:afterRequest", (event) => {
  const form = kept(event);
  if (form && event.detail.successful) {
    delete form.dataset.unsaved;
  }
});
const again = () => document.querySelectorAll("form[data-keep][data-unsaved]").forEach((form) => window.htmx.trigger(form, "submit"));
window.addEventListener("online", again);
window.setInterval(again, 15000);
// What was tapped before this script had come is saved now: an inspector does not wait for a slow connection.
const differs = (field) => (["radio", "checkbox"].includes(field.type) ? field.checked !== field.defaultChecked
  : field.matches("input:not([type=hidden]), textarea") && field.value !== field.defaultValue);
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("form[data-keep][hx-trigger*=change]").forEach((form) => {
    if ([...form.elements].some(differs)) {
      window.htmx.trigger(form, "submit");
    }
  });
});
window.addEventListener("beforeunload", (event) => {
  if (document.querySelector("form[data-keep][data-unsaved]")) {
    event.preventDefault();
  }
});
