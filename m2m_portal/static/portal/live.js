// Live pages. An element with data-live="/ws/…/" is fed over a WebSocket by messages {"target": css id, "html": …};
// [data-live-status] says how it goes; where a WebSocket is impossible, the page itself is fetched every five seconds
// and its [data-live-part] elements are put in place. Also keeps relative times and stop watches ticking.
"use strict";

(() => {
  // The catalogue of translations (`jsi18n/`) comes first; where it did not come, the words are English.
  const gettext = window.gettext || ((text) => text);
  const LANGUAGE = document.documentElement.lang || "en-gb";
  const POLL_MS = 5000;
  const FIRST_RETRY_MS = 500;
  const LONGEST_RETRY_MS = 15000;
  const NOT_ALLOWED = 4403;
  const GIVE_UP_AFTER = 3; // failed attempts without ever being connected, then we poll as well
  const WORDS = {
    live: gettext("Live"),
    connecting: gettext("Connecting…"),
    reconnecting: gettext("Reconnecting…"),
    polling: gettext("Checking every 5 s"),
  };

  // -- putting a fragment in place without disturbing the reader -------------------------------------------

  function keep(element) {
    const active = document.activeElement;
    const focused = element.contains(active) && active.id ? active : null;
    return {
      focusId: focused ? focused.id : null,
      value: focused && "value" in focused ? focused.value : null,
      selection: focused && focused.selectionStart !== undefined ? [focused.selectionStart, focused.selectionEnd] : null,
      open: [...element.querySelectorAll("details[id][open]")].map((one) => one.id),
      closed: [...element.querySelectorAll("details[id]:not([open])")].map((one) => one.id),
      keys: new Set([...element.querySelectorAll("[data-key]")].map((one) => one.dataset.key)),
      scrolls: [...element.querySelectorAll("[id][data-keep-scroll]")].map((one) => [one.id, one.scrollTop, one.scrollLeft]),
    };
  }

  function restore(element, kept) {
    const details = (ids, open) => ids.forEach((id) => {
      const one = document.getElementById(id);
      if (one) one.open = open;
    });
    details(kept.open, true);
    details(kept.closed, false);
    kept.scrolls.forEach(([id, top, left]) => {
      const one = document.getElementById(id);
      if (one) [one.scrollTop, one.scrollLeft] = [top, left];
    });
    if (kept.keys.size) {
      element.querySelectorAll("[data-key]").forEach((one) => {
        if (!kept.keys.has(one.dataset.key)) one.classList.add("is-new");
      });
    }
    const focus = kept.focusId && document.getElementById(kept.focusId);
    if (focus && focus !== document.activeElement) {
      if (kept.value !== null && focus.type !== "hidden") focus.value = kept.value;
      focus.focus({ preventScroll: true });
      if (kept.selection && focus.setSelectionRange) {
        try { focus.setSelectionRange(...kept.selection); } catch { /* not a text field */ }
      }
    }
  }

  function place(id, html) {
    const old = document.getElementById(id);
    if (!old) return;
    const template = document.createElement("template");
    template.innerHTML = html;
    const roots = [...template.content.children];
    let fresh = roots[0];
    if (roots.length !== 1 || fresh.id !== id) { // only the inside was sent
      fresh = old.cloneNode(false);
      fresh.append(template.content);
    }
    if (old.querySelector("[data-hold]")) return; // an answer to what the reader typed stands there
    if (essence(fresh) === essence(old)) return; // nothing to see: whoever marks or copies text is left alone
    const kept = keep(old);
    const [x, y] = [window.scrollX, window.scrollY];
    old.replaceWith(fresh);
    restore(fresh, kept);
    if (window.scrollX !== x || window.scrollY !== y) window.scrollTo(x, y);
    tick();
    fresh.dispatchEvent(new CustomEvent("portal:replaced", { bubbles: true }));
  }

  // What the server said, without what ticks, was opened by the reader, or is only there for a moment.
  function essence(element) {
    const copy = element.cloneNode(true);
    copy.querySelectorAll("time[data-relative], time[data-elapsed]").forEach((one) => { one.textContent = ""; });
    copy.querySelectorAll("details[id]").forEach((one) => one.removeAttribute("open"));
    [copy, ...copy.querySelectorAll(".is-new")].forEach((one) => {
      one.classList.remove("is-new");
      if (!one.classList.length) one.removeAttribute("class");
    });
    return copy.outerHTML;
  }

  // -- the connection -----------------------------------------------------------------------------------

  function say(state) {
    document.querySelectorAll("[data-live-status]").forEach((badge) => {
      if (badge.dataset.state === state) return;
      badge.dataset.state = state;
      badge.textContent = WORDS[state];
    });
  }

  function address(path) {
    return new URL(path, location.href).href.replace(/^http/, "ws");
  }

  function mayReload() { // never in a circle
    const last = Number(sessionStorage.getItem("portal-reloaded") || 0);
    sessionStorage.setItem("portal-reloaded", String(Date.now()));
    return Date.now() - last > LONGEST_RETRY_MS;
  }

  class Line {
    constructor(path, isFirst) {
      this.path = path;
      this.say = isFirst ? say : () => {}; // the badge tells of the page's own line
      this.failures = 0;
      this.wasLive = false;
      this.poller = null;
      this.timer = null;
      if ("WebSocket" in window) this.connect();
      else this.poll();
    }

    connect() {
      clearTimeout(this.timer);
      if (!this.poller) this.say(this.wasLive ? "reconnecting" : "connecting");
      try {
        this.socket = new WebSocket(address(this.path));
      } catch {
        this.later();
        return;
      }
      this.socket.addEventListener("open", () => this.opened());
      this.socket.addEventListener("message", (event) => this.heard(event.data));
      this.socket.addEventListener("close", (event) => this.closed(event));
    }

    opened() {
      this.wasLive = true;
      this.failures = 0;
      clearInterval(this.poller);
      this.poller = null;
      this.say("live");
    }

    heard(data) {
      let message;
      try { message = JSON.parse(data); } catch { return; }
      if (message && message.target && typeof message.html === "string") place(message.target, message.html);
      if (message && message.go) location.assign(message.go);
    }

    closed(event) {
      if (this.leaving) return;
      if (event.code === NOT_ALLOWED && mayReload()) { // signed out, another role, or the thing is gone
        location.reload();
        return;
      }
      this.later();
    }

    later() {
      this.failures += 1;
      if (!this.wasLive && this.failures >= GIVE_UP_AFTER) this.poll();
      else if (!this.poller) this.say(this.wasLive ? "reconnecting" : "connecting");
      const pause = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.failures - 1));
      this.timer = setTimeout(() => this.connect(), pause * (0.75 + Math.random() / 2));
    }

    poll() {
      this.say("polling");
      if (!this.poller) this.poller = setInterval(refresh, POLL_MS);
    }

    leave() {
      this.leaving = true;
      clearTimeout(this.timer);
      clearInterval(this.poller);
      if (this.socket) this.socket.close();
    }
  }

  let refreshing = false;
  async function refresh() {
    if (refreshing || document.hidden) return;
    refreshing = true;
    try {
      const answer = await fetch(location.href, { headers: { "X-Live-Part": "1" }, credentials: "same-origin" });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.querySelectorAll("[data-live-part][id]").forEach((part) => {
        const fresh = page.getElementById(part.id);
        if (fresh) place(part.id, fresh.outerHTML);
      });
    } catch { /* offline: the next round will tell */ } finally { refreshing = false; }
  }

  // -- times -------------------------------------------------------------------------------------------

  const UNITS = [[86400 * 365, "year"], [86400 * 30, "month"], [86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const RELATIVE = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "always" });

  function largest(seconds) {
    const [size, unit] = UNITS.find(([size]) => seconds >= size) || UNITS[UNITS.length - 1];
    return [Math.floor(seconds / size), unit];
  }

  function span(seconds) {
    const [count, unit] = largest(seconds);
    return new Intl.NumberFormat(LANGUAGE, { style: "unit", unit, unitDisplay: "long" }).format(count);
  }

  function relative(at, now) {
    const seconds = (now - at) / 1000;
    if (Math.abs(seconds) < 2) return gettext("just now");
    const [count, unit] = largest(Math.abs(seconds));
    return RELATIVE.format(seconds > 0 ? -count : count, unit);
  }

  function put(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function tick() {
    const now = Date.now() + skew;
    document.querySelectorAll("time[data-relative]").forEach((element) => put(element, relative(Date.parse(element.dateTime), now)));
    document.querySelectorAll("time[data-elapsed]").forEach((element) => {
      put(element, span(Math.max(0, (now - Date.parse(element.dateTime)) / 1000)));
    });
  }

  const told = Date.parse(document.documentElement.dataset.now || "");
  const skew = Number.isNaN(told) || Math.abs(told - Date.now()) < 5000 ? 0 : told - Date.now();

  // -- start -------------------------------------------------------------------------------------------

  // One line per address. A page that puts other parts in place says so by "portal:attend" on the document.
  const lines = new Map();

  function attend() {
    const wanted = new Set([...document.querySelectorAll("[data-live]")].map((element) => element.dataset.live));
    lines.forEach((line, path) => {
      if (wanted.has(path)) return;
      line.leave();
      lines.delete(path);
    });
    wanted.forEach((path) => { if (!lines.has(path)) lines.set(path, new Line(path, !lines.size)); });
    tick();
  }

  attend();
  document.addEventListener("portal:attend", attend);
  window.addEventListener("pagehide", () => lines.forEach((line) => line.leave()));
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  setInterval(tick, 1000);
})();
