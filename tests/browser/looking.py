"""What every page has to keep: names for controls, one h1, no sideways scrolling, readable contrast."""

from __future__ import annotations

from playwright.sync_api import Page

_CHECK = """() => {
  const problems = [];
  const seen = (element) => element.checkVisibility({ checkVisibilityCSS: true })
    && !element.closest(".visually-hidden, .skip");
  const name = (element) => (element.getAttribute("aria-label") || element.textContent
    || (element.labels && [...element.labels].map((one) => one.textContent).join(" ")) || element.title || "").trim();
  const labelled = (element) => element.labels && element.labels.length || element.getAttribute("aria-label")
    || element.getAttribute("aria-labelledby");
  document.querySelectorAll("input:not([type=hidden]), select, textarea").forEach((element) => {
    if (seen(element) && !labelled(element)) problems.push(`no label: ${element.outerHTML.slice(0, 120)}`);
  });
  document.querySelectorAll("button, a[href]").forEach((element) => {
    if (seen(element) && !name(element)) problems.push(`no name: ${element.outerHTML.slice(0, 120)}`);
  });
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  ids.filter((id, index) => ids.indexOf(id) !== index).forEach((id) => problems.push(`id twice: ${id}`));
  document.querySelectorAll("[aria-labelledby], [aria-describedby]").forEach((element) => {
    for (const attribute of ["aria-labelledby", "aria-describedby"]) {
      (element.getAttribute(attribute) || "").split(" ").filter(Boolean).forEach((id) => {
        if (!document.getElementById(id)) problems.push(`${attribute} points nowhere: ${id}`);
      });
    }
  });
  if (document.querySelectorAll("h1").length !== 1) problems.push(`${document.querySelectorAll("h1").length} h1`);
  if (!document.documentElement.lang) problems.push("no language");
  if (!document.title) problems.push("no title");
  if (document.querySelector("[style], script:not([src]), style")) problems.push("inline style or script");
  const wider = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wider > 0) problems.push(`scrolls sideways by ${wider} px`);

  const channels = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const shine = ([r, g, b]) => {
    const part = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = channels(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const told = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !seen(element) || element.closest("svg, template, :disabled")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [shine(channels(style.color)), shine(ground(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    const key = `${element.tagName}.${element.className}`;
    if (contrast < least && !told.has(key)) {
      told.add(key);
      problems.push(`contrast ${contrast.toFixed(1)}: ${key} "${text.slice(0, 30)}"`);
    }
  }
  return problems;
}"""


def problems(page: Page) -> list[str]:
    found: list[str] = page.evaluate(_CHECK)
    return [f"{page.url}: {one}" for one in found]
