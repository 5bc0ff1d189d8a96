// The little that pages cannot do without a script: ask before deleting, say that an upload is under way.
"use strict";
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.ask && !window.confirm(form.dataset.ask)) {
    event.preventDefault();
    return;
  }
  const button = form.querySelector("button[data-busy]");
  if (button) {
    button.textContent = button.dataset.busy;
    button.setAttribute("aria-disabled", "true");
    // After the form's data has been taken: a disabled button at once would keep some browsers from sending.
    window.setTimeout(() => { button.disabled = true; }, 0);
  }
});
// A link into a folded section opens it.
const unfold = () => {
  const target = document.getElementById(decodeURIComponent(window.location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
};
window.addEventListener("hashchange", unfold);
unfold();
// A page that comes back from the browser's memory must not keep its button off.
window.addEventListener("pageshow", (event) => { if (event.persisted) { window.location.reload(); } });
// A filter form that htmx serves needs no button; without a script the button stays.
document.querySelectorAll("[data-hide-with-script]").forEach((element) => { element.hidden = true; });
