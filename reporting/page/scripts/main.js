// Puts the page together: theme, navigation, tables, plots, and the browser of samples.

function setUpTheme(onChange) {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  byId("theme").addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    onChange();
  });
  system.addEventListener("change", onChange);
}

function setUpNavigation() {
  const links = new Map([...document.querySelectorAll(".bar nav a")].map((link) => [link.hash.slice(1), link]));
  const seenParts = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) {
          for (const link of links.values()) link.removeAttribute("aria-current");
          const link = links.get(target.id);
          link.setAttribute("aria-current", "true");
          link.parentElement.scrollLeft = link.offsetLeft - link.parentElement.offsetLeft - 40;
        }
      }
    },
    { rootMargin: "-20% 0px -75% 0px" },
  );
  for (const id of links.keys()) seenParts.observe(byId(id));
}

function setUpSamples(verdicts, changes) {
  const filter = new Filter(verdicts);
  const view = new SampleView(verdicts, changes);
  let opened = null;
  const sampleNumber = () => (opened === null ? null : verdicts.numbers[filter.matches[opened]]);
  const note = () => writeAddress(filter, list.page, sampleNumber());
  const list = new List(filter, (place) => open(place), note);

  function open(place) {
    opened = place;
    byId("previous").disabled = place === 0;
    byId("next").disabled = place >= filter.matches.length - 1;
    view.show(filter.matches[place], `${counted(place + 1)} of ${counted(filter.matches.length)} \u00b7 ${list.setting(filter.matches[place])}`);
    note();
  }

  function step(by) {
    const place = opened + by;
    if (place < 0 || place >= filter.matches.length) return;
    list.place(place);
    open(place);
  }

  function refresh(page = 0) {
    filter.apply();
    showFacets(filter);
    list.show(page);
    byId("clear").hidden = !filter.active;
    byId("chosen").textContent = filter.active ? String(filter.active) : "";
  }

  function change() {
    refresh();
    note();
  }

  function follow() {
    const wanted = readAddress(filter);
    if (!wanted) return;
    byId("query").value = filter.query;
    refresh(wanted.page);
    land("#samples");
    const place = wanted.sample === null ? -1 : filter.matches.findIndex((row) => verdicts.numbers[row] === wanted.sample);
    if (place >= 0) {
      list.place(place);
      open(place);
    } else if (view.dialog.open) view.dialog.close();
  }

  buildFacets(filter, change);
  byId("choices").open = matchMedia("(min-width: 60rem)").matches;
  byId("query").addEventListener("input", (event) => {
    filter.query = event.target.value;
    change();
  });
  byId("clear").addEventListener("click", () => {
    filter.clear();
    byId("query").value = "";
    change();
    byId("query").focus();
  });
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("close").addEventListener("click", () => view.dialog.close());
  view.dialog.addEventListener("close", () => {
    opened = null;
    note();
    byId("list").focus({ preventScroll: true });
  });
  addEventListener("keydown", (event) => onKey(event, list, view, step));
  addEventListener("hashchange", follow);
  byId("waiting").remove();
  document.querySelector(".browser").hidden = false;
  refresh();
  follow();
}

// Keys that work wherever nothing is being typed.
function onKey(event, list, view, step) {
  const typing = event.target.closest("input, select, textarea");
  if (event.ctrlKey || event.metaKey || event.altKey || (typing && typing.type !== "checkbox")) return;
  const by = { j: 1, k: -1 }[event.key];
  if (view.dialog.open) {
    if (by) step(by);
    return;
  }
  if (by) {
    list.element.focus();
    list.moveTo(list.at + by);
  } else if (event.key === "/") {
    event.preventDefault();
    byId("query").focus();
  }
}

async function start() {
  let plots = null;
  setUpTheme(() => plots?.redraw(true));
  setUpNavigation();
  setUpTables();
  setUpAnchors();
  const [verdicts, changes] = await Promise.all([loadVerdicts(), unpackJson(byId("data-changes"))]);
  setUpSamples(verdicts, changes);
  document.documentElement.dataset.ready = "samples";
  performance.mark("samples");
  plots = new Plots(await unpackJson(byId("data-figures")));
}

start();
