// Tells the portal once in which time zone this browser is, for somebody who has chosen none.
"use strict";

(() => {
  const DONE = "portal-time-zone-told";
  const { to } = document.currentScript.dataset;
  const token = document.querySelector("[name=csrfmiddlewaretoken]");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!to || !token || !zone || sessionStorage.getItem(DONE) === zone) return;
  sessionStorage.setItem(DONE, zone); // also where the portal does not know it: it is asked no second time
  fetch(to, {
    method: "POST",
    credentials: "same-origin",
    headers: { "X-CSRFToken": token.value },
    body: new URLSearchParams({ time_zone: zone }),
  }).catch(() => sessionStorage.removeItem(DONE)); // offline: the next page tries
})();
