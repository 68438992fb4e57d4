"use strict";
const form = document.getElementById("filter");
const items = [...document.querySelectorAll("[data-verdict][data-api]")];
const groups = [...document.querySelectorAll("[data-group]")];

function wanted(item) {
  return [...new FormData(form)].every(([name, value]) => value === "" || item.dataset[name] === value);
}

function apply() {
  let shown = 0;
  for (const item of items) {
    item.hidden = !wanted(item);
    shown += item.tagName === "TR" && !item.hidden;
  }
  for (const group of groups) {
    group.hidden = !group.querySelector("tr[data-verdict]:not([hidden])");
  }
  document.getElementById("shown").textContent = shown + " of " + document.querySelectorAll("tr[data-verdict]").length + " cases shown";
}

if (form) {
  form.hidden = false;
  form.addEventListener("change", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  apply();
}

window.addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target || !form) return;
  if (target.hidden || target.closest("[hidden]")) {
    form.reset();
    apply();
  }
  const details = target.querySelector("details");
  if (details) details.open = true;
  target.scrollIntoView();
});

const reopened = [];
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open]):not(.fold)")) {
    details.open = true;
    reopened.push(details);
  }
});
window.addEventListener("afterprint", () => {
  while (reopened.length) reopened.pop().open = false;
});
