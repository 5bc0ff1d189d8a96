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
// A filter asks once for the same list: leaving the search field after typing would ask again, and exchange the list under the
// finger that is tapping one of its links. Once a link has been followed, an answer still under way no longer touches the page:
// it would write its own address into the history and so call the reader back. The next touch says that they stayed after all.
let isLeaving = false;
const asksOfFilter = (event) => event.target instanceof HTMLFormElement && event.target.matches("form.qd-filter[hx-push-url]");
const wordsOf = (form) => new URLSearchParams(new FormData(form)).toString();
const asked = new WeakMap([...document.querySelectorAll("form.qd-filter")].map((form) => [form, wordsOf(form)]));
document.addEventListener("htmx:configRequest", (event) => {
  if (!asksOfFilter(event)) {
    return;
  }
  const words = wordsOf(event.target);
  const isSubmitted = event.detail.triggeringEvent?.type === "submit";
  if (isLeaving || (!isSubmitted && words === asked.get(event.target))) {
    event.preventDefault();
    return;
  }
  asked.set(event.target, words);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (isLeaving && event.detail.requestConfig?.elt.matches("form.qd-filter[hx-push-url]")) {
    event.detail.shouldSwap = false;
  }
});
// Where the answer did not come, the same words may be asked again.
["htmx:sendError", "htmx:responseError"].forEach((name) => document.addEventListener(name, (event) => asked.delete(event.target)));
window.addEventListener("beforeunload", () => { isLeaving = true; });
["pointerdown", "keydown"].forEach((name) => document.addEventListener(name, () => { isLeaving = false; }, { capture: true }));
