// Small help for forms and menus; every page works without it.
"use strict";

(() => {
  // The catalogue of translations (`jsi18n/`) comes first; where it did not come, the words are English.
  const gettext = window.gettext || ((text) => text);

  // A form is sent once: the button says so and a second press does nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent === "yes") {
      event.preventDefault();
      return;
    }
    if (form.method.toLowerCase() !== "post") return;
    form.dataset.sent = "yes";
    const button = event.submitter || form.querySelector("button[type=submit], button:not([type])");
    if (button) {
      button.setAttribute("aria-disabled", "true");
      button.classList.add("is-busy");
    }
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll(".is-busy").forEach((button) => {
        button.classList.remove("is-busy");
        button.removeAttribute("aria-disabled");
      });
    });
  });

  // Parts that belong to one choice: <div data-when="key_source" data-is="mine">.
  function choose() {
    document.querySelectorAll("[data-when]").forEach((part) => {
      const chosen = document.querySelector(`[name="${part.dataset.when}"]:checked`);
      part.hidden = !chosen || chosen.value !== part.dataset.is;
    });
  }
  document.addEventListener("change", choose);
  choose();

  // Hints while typing; the server checks again.
  const CHECKS = {
    "psk-hex"(text) {
      const hex = text.replace(/[\s:-]/g, "");
      if (!hex) return ["", ""];
      if (/[^0-9a-fA-F]/.test(hex)) return ["bad", gettext("Only the digits 0–9 and the letters A–F belong in a key.")];
      if (hex.length < 32) return ["", gettext("%s of at least 32 digits.").replace("%s", hex.length)];
      if (hex.length % 2) return ["bad", gettext("One digit is missing: digits come in pairs.")];
      if (hex.length > 128) return ["bad", gettext("That is longer than 128 digits.")];
      return ["ok", gettext("%s digits – looks complete.").replace("%s", hex.length)];
    },
    endpoint(text) {
      const name = text.trim();
      if (!name) return ["", ""];
      if (/\s/.test(name)) return ["bad", gettext("There is a space in it. Endpoint names have none.")];
      if (/[\u0000-\u001f\u007f]/.test(name)) return ["bad", gettext("There is a character in it that cannot be printed.")];
      const digits = name.replace(/^urn:imei:/, "");
      if (/^\d{15}$/.test(digits)) {
        const sum = [...digits].reverse().reduce((total, digit, place) => {
          const value = Number(digit) * (place % 2 ? 2 : 1);
          return total + (value > 9 ? value - 9 : value);
        }, 0);
        if (sum % 10) return ["bad", gettext("The last digit of this IMEI does not fit the others: one digit is mistyped.")];
        if (digits === name) return ["", gettext("Devices with an IMEI commonly call themselves %s.").replace("%s", `urn:imei:${name}`)];
      } else if (name.startsWith("urn:imei:")) return ["", gettext("%s of 15 digits.").replace("%s", digits.length)];
      if (/[A-Za-z]/.test(name) && /[\u0370-\u03ff\u0400-\u04ff]/.test(name)) return ["bad", gettext("It mixes alphabets: one of its letters only looks like a Latin one.")];
      return ["ok", gettext("Looks fine. Capital and small letters matter.")];
    },
  };
  document.querySelectorAll("[data-check]").forEach((field) => {
    const hint = document.getElementById(field.dataset.hint);
    const check = CHECKS[field.dataset.check];
    if (!hint || !check) return;
    const show = () => {
      const [state, words] = check(field.value);
      hint.textContent = words;
      hint.className = `hint-live${state ? ` is-${state}` : ""}`;
    };
    field.addEventListener("input", show);
    if (field.value && !field.closest(".has-error")) show();
  });

  // Filters apply by themselves.
  document.querySelectorAll("form[data-auto] select").forEach((field) => {
    field.addEventListener("change", () => field.form.requestSubmit());
  });

  // Copy and download, from what is on the page.
  function toast(words) {
    const box = document.getElementById("toasts");
    if (!box) return;
    const one = document.createElement("p");
    one.className = "toast";
    one.textContent = words;
    box.append(one);
    setTimeout(() => one.remove(), 3500);
  }
  function select(element) {
    const range = document.createRange();
    range.selectNodeContents(element);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  }
  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    const save = event.target.closest("[data-download]");
    const close = event.target.closest("[data-dismiss]");
    if (copy) {
      const source = document.getElementById(copy.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.dataset.plain || source.textContent.trim());
        toast(gettext("Copied."));
      } catch {
        select(source);
        toast(gettext("Press Ctrl+C to copy what is marked."));
      }
    }
    if (save) {
      const text = document.getElementById(save.dataset.download).content.textContent.trim();
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/plain" }));
      link.download = save.dataset.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }
    if (close) close.closest(".note").remove();
    document.querySelectorAll(".who-menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(input|textarea|select)$/i.test(event.target.tagName)) {
      const search = document.querySelector("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    }
    if (event.key !== "Escape") return;
    document.querySelectorAll(".who-menu[open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  // A key that is shown once asks before the page is left.
  window.addEventListener("beforeunload", (event) => {
    if (document.querySelector("[data-key-sheet]")) event.preventDefault();
  });

  // After a refused form the first field with an error gets the focus.
  const wrong = document.querySelector(".has-error input:not([type=hidden]), .has-error textarea, .has-error select");
  if (wrong) wrong.focus();
})();
