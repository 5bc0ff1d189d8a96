// The code of a slip's picture stands behind # in the address, which browsers never send: put it into the form.
"use strict";
const field = document.querySelector("[data-join] input[name=code]");
const given = decodeURIComponent(window.location.hash.slice(1));
if (field && /^[0-9A-Za-z-]{10,11}$/.test(given)) {
  field.value = given;
  window.history.replaceState(null, "", window.location.pathname);
}
