// The page on which a device is managed: choosing a node and asking something do not leave the page. Without this
// script both work as plain links and forms; what the device answers comes over live.js either way.
"use strict";

(() => {
  // The catalogue of translations (`jsi18n/`) comes first; where it did not come, the words are English.
  const gettext = window.gettext || ((text) => text);
  const NARROW = window.matchMedia("(max-width: 1023px)");
  const FADE_MS = 8000;
  const panel = () => document.getElementById("manage-node");

  function say(words, kind) {
    clearTimeout(fading);
    const place = document.getElementById("manage-messages");
    const list = document.createElement("ul");
    list.className = "messagelist";
    const item = document.createElement("li");
    item.className = kind;
    item.textContent = words;
    list.append(item);
    place.replaceChildren(list);
  }

  // What went well stands in the list of commands as well; what did not stays until the next thing is asked.
  let fading;
  function fade() {
    const place = document.getElementById("manage-messages");
    clearTimeout(fading);
    if (!place.querySelector(".error, .warning")) fading = setTimeout(() => place.replaceChildren(), FADE_MS);
  }

  // What was asked last: what became of it takes the place of "is on its way", however long that took.
  let asked = "";
  function remember() {
    const told = document.querySelector('#manage-messages [class*="command-"]');
    asked = told ? told.className.match(/command-\d+/)[0] : "";
    outcome();
  }

  function outcome() {
    const ended = asked && document.querySelector(`#manage-queue #${asked}[data-outcome]`);
    if (!ended) return;
    asked = "";
    say(ended.dataset.outcome, ended.classList.contains("is-done") ? "success" : "error");
    fade();
  }

  // Takes from the page that came back: the panel (unless the reader stays with the one that is open) and the messages.
  function take(text, { withPanel }) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const fresh = page.getElementById("manage-node");
    if (!fresh) return false;
    if (withPanel) {
      panel().replaceWith(fresh);
      mark();
    }
    const messages = page.getElementById("manage-messages");
    document.getElementById("manage-messages").replaceChildren(...(messages ? messages.childNodes : []));
    fade();
    remember();
    document.dispatchEvent(new CustomEvent("portal:attend"));
    return true;
  }

  function mark() {
    const path = panel().dataset.path;
    document.querySelectorAll("#manage-tree [data-node]").forEach((link) => {
      if (link.dataset.node === path && link.closest("th, caption")) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  }

  async function open(address, { focus = "", push = true } = {}) {
    panel().setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { credentials: "same-origin" });
      if (!answer.ok || !take(await answer.text(), { withPanel: true })) throw new Error(answer.status);
    } catch {
      location.assign(address); // the browser says what is wrong
      return;
    }
    if (push) history.pushState(null, "", address.replace(/#.*/, ""));
    const target = (focus && document.getElementById(focus)) || document.getElementById("manage-node-title");
    if (NARROW.matches) panel().scrollIntoView({ block: "start" });
    target.focus({ preventScroll: true });
  }

  async function send(form, submitter) {
    const data = new FormData(form, submitter);
    const ofPanel = panel().contains(form) && !["manage-ask", "manage-cancel"].includes(form.id);
    submitter.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, credentials: "same-origin" });
      if (!answer.ok) throw new Error(answer.status);
      if (!take(await answer.text(), { withPanel: ofPanel })) location.reload(); // signed out
    } catch (error) {
      const refused = /^4/.test(error.message);
      say(refused
        ? gettext("The portal refused this. Reload the page: your role or the device may have changed.")
        : gettext("The portal did not answer. Look at the commands to see whether it got this."), "error");
    } finally {
      submitter.disabled = false;
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-node]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(link.href, { focus: link.dataset.focus || "" });
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || !form.closest(".manage") || !event.submitter) return;
    event.preventDefault();
    send(form, event.submitter);
  });

  window.addEventListener("popstate", () => open(location.href, { push: false }));
  document.addEventListener("portal:replaced", () => { mark(); filter(); outcome(); });

  // -- the filter ----------------------------------------------------------------------------------------

  const box = document.querySelector("[data-manage-filter]");
  const field = box.querySelector("input");

  function filter() {
    const words = field.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    document.querySelectorAll("#manage-tree tr[data-words]").forEach((row) => {
      row.hidden = !words.every((word) => row.dataset.words.includes(word));
    });
    document.querySelectorAll(".manage-instance").forEach((one) => {
      one.hidden = words.length > 0 && !one.querySelector("tr[data-words]:not([hidden])");
    });
    document.querySelectorAll(".manage-rest").forEach((one) => {
      const fits = one.querySelector("tr[data-words]:not([hidden])");
      one.hidden = !fits;
      if (fits && words.length) one.open = true;
    });
    document.querySelectorAll(".manage-object").forEach((one) => {
      const fits = words.length > 0 && one.querySelector(".manage-instance:not([hidden])");
      one.hidden = words.length > 0 && !fits;
      if (fits) one.open = true;
    });
  }

  field.addEventListener("input", filter);
  box.hidden = false;
  mark();
  remember();
})();
