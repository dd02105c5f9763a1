// Anchors: what an address or a link names stays at the top while the page around it still grows, until it is left.

let landed = null;

function land(hash) {
  const id = hash.slice(1).split("?", 1)[0];
  landed = id ? byId(id) : null;
  stay();
}

function stay() {
  landed?.scrollIntoView({ behavior: "instant", block: "start" });
}

function setUpAnchors() {
  const leave = () => {
    landed = null;
  };
  for (const moved of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(moved, leave, { capture: true, passive: true });
  }
  addEventListener("hashchange", () => land(location.hash));
  addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link) requestAnimationFrame(() => land(link.hash)); // the browser goes first, for the focus and the history
  });
  new ResizeObserver(stay).observe(document.querySelector("main"));
  const [visit] = performance.getEntriesByType("navigation");
  if (location.hash && visit?.type === "navigate") land(location.hash);
}
