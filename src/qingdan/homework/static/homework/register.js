// Taps instead of typing: chips that fill a field, classes of the chosen subject, a design of the library into its row.
"use strict";
const entry = document.getElementById("entry");
if (entry) {
  const say = (field) => {
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const chips = [...entry.querySelectorAll("button[data-fill]")];
  const mark = () => chips.forEach((chip) => {
    chip.setAttribute("aria-pressed", String(document.getElementById(chip.dataset.fill).value === chip.value));
  });
  entry.querySelectorAll(".hr-fill").forEach((each) => { each.hidden = false; });
  entry.addEventListener("input", mark);
  // Only classes in which the teacher has the chosen subject.
  const fit = () => {
    const subject = entry.querySelector("[name=subject]:checked");
    entry.querySelectorAll("[data-subjects]").forEach((label) => {
      const fits = !subject || label.dataset.subjects.split(" ").includes(subject.value);
      label.hidden = !fits;
      if (!fits) { label.querySelector("input").checked = false; }
    });
  };
  entry.addEventListener("change", fit);
  const choose = (name, value) => {
    entry.querySelectorAll(`[name="${name}"]`).forEach((radio) => { radio.checked = radio.value === value; });
  };
  const use = (link) => {
    const tier = link.dataset.use;
    const wanted = entry.querySelector(`[name="${tier}-is_on"]`);
    if (wanted) { wanted.checked = true; }
    ["content", "homework_minutes", "design"].forEach((name) => { entry.querySelector(`[name="${tier}-${name}"]`).value = link.dataset[name]; });
    ["form", "done_at"].forEach((name) => choose(`${tier}-${name}`, link.dataset[name]));
    ["unit", "requirements", "intent"].forEach((name) => {
      const field = entry.querySelector(`[name="${name}"]`);
      if (link.dataset[name] && !field.value) { field.value = link.dataset[name]; }
    });
    const content = entry.querySelector(`[name="${tier}-content"]`);
    say(content);
    content.focus();
  };
  entry.addEventListener("click", (event) => {
    const chip = event.target.closest("button[data-fill]");
    if (chip) {
      const field = document.getElementById(chip.dataset.fill);
      field.value = chip.value;
      say(field);
    }
    const link = event.target.closest("a[data-use]");
    if (link) {
      event.preventDefault();
      use(link);
    }
    if (event.target.closest("a[data-focus]")) {
      event.preventDefault();
      const minutes = entry.querySelector("[name$='-homework_minutes']");
      minutes.focus();
      minutes.select();
    }
  });
  fit();
  mark();
}
