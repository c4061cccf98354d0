async function start() {
  const data = await unpacked();
  const view = startMap(data);
  startLayers(view);
  startSearch(view);
  startJumps(view);
  startPointer(view);
  startPrinting(view);
  byId('home').addEventListener('click', () => view.map.fitBounds(view.home, {animate: false}));
  recall(view);
  addEventListener('hashchange', () => recall(view));
  view.map.on('moveend', () => {
    list(view);
    remember(view);
  });
  drawNames(view);
  list(view);
  requestAnimationFrame(() => requestAnimationFrame(() => {
    document.documentElement.dataset.ready = String(Math.round(performance.now()));
  }));
}

start().catch((error) => {
  byId('failure').hidden = false;
  console.error(error);
});
