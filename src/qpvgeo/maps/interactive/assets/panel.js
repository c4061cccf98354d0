// Search, layers, what is chosen, the list of what is in view, and the address that holds the view.

const MOST_FOUND = 20, MOST_LISTED = 100;
const byId = (id) => document.getElementById(id);

function choose(view, feature, {move} = {}) {
  if (feature && !feature.layer.visible) {
    const box = byId('layers').querySelector(`input[value="${CSS.escape(feature.layer.id)}"]`);
    box.checked = true;
    box.dispatchEvent(new Event('change'));
  }
  if (feature && move) goTo(view, feature);
  mark(view, feature);
  byId('chosen').replaceChildren(...(feature ? told(feature) : []));
  if (feature) byId('chosen').scrollIntoView({block: 'nearest'});
  remember(view);
}

// --- search -------------------------------------------------------------------------------------------------------

function searched(view) {
  const layers = view.data.layers.filter((layer) => isQuarter(layer) || layer.id === 'communes');
  const rank = (layer) => (isQuarter(layer) ? 0 : 1);
  return layers.sort((one, other) => rank(one) - rank(other) || (one.id < other.id ? 1 : -1))
    .flatMap((layer) => layer.features)
    .map((feature) => ({feature, key: ' ' + plain([feature.code, feature.name, feature.place].join(' '))}));
}

function startSearch(view) {
  const input = byId('search'), list = byId('found');
  const all = searched(view);
  let hits = [], active = -1;
  const close = () => {
    hits = [];
    active = -1;
    list.hidden = true;
    list.replaceChildren();
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };
  const pick = (row) => {
    const feature = hits[row];
    input.value = feature.name;
    close();
    choose(view, feature, {move: true});
  };
  const activate = (row) => {
    active = row;
    [...list.children].forEach((one, place) => one.setAttribute('aria-selected', String(place === row)));
    input.setAttribute('aria-activedescendant', 'found-' + row);
    list.children[row].scrollIntoView({block: 'nearest'});
  };
  const look = () => {
    const words = plain(input.value).split(' ').filter(Boolean);
    if (words.join('').length < 2) return close();
    hits = all.filter(({key}) => words.every((word) => key.includes(' ' + word)))
      .slice(0, MOST_FOUND).map(({feature}) => feature);
    active = -1;
    list.replaceChildren(...hits.map((feature, row) => {
      const {layer, name, place, code} = feature;
      const text = [name, place, code === name ? '' : code, capital(layer.label)].filter(Boolean).join(' \u00b7 ');
      const made = element('li', text, {role: 'option', id: 'found-' + row, 'aria-selected': 'false'});
      made.addEventListener('mousedown', (event) => {
        event.preventDefault();
        pick(row);
      });
      return made;
    }));
    list.hidden = !hits.length;
    input.setAttribute('aria-expanded', String(hits.length > 0));
    input.removeAttribute('aria-activedescendant');
    byId('summary').textContent = counted('results', hits.length);
  };
  input.addEventListener('input', look);
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (event) => {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step && hits.length) activate((active + step + hits.length) % hits.length);
    else if (event.key === 'Enter' && hits.length) pick(Math.max(active, 0));
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
  });
}

// --- layers -------------------------------------------------------------------------------------------------------

function swatch(style) {
  const made = document.createElementNS(SVG, 'svg');
  made.setAttribute('class', 'swatch');
  made.setAttribute('viewBox', '0 0 20 14');
  made.setAttribute('aria-hidden', 'true');
  made.append(vector('rect', {x: 1, y: 1, width: 18, height: 12, stroke: style.line, 'stroke-width': 2,
    fill: style.fill, 'fill-opacity': style.opacity, 'stroke-dasharray': style.dash || 'none'}));
  return made;
}

function startLayers(view) {
  const box = byId('layers');
  for (const layer of [...view.data.layers].reverse()) {
    const label = element('label');
    const input = element('input', null, {type: 'checkbox', value: layer.id});
    input.checked = true;
    const text = `${capital(layer.label)} (${written(layer.count, 'number')})`;
    label.append(input, ...(layer.classes.length ? [] : [swatch(layer.style)]), element('span', text));
    box.append(label);
    let classes = null;
    if (layer.classes.length) {
      classes = element('ul');
      const used = new Set(layer.of);
      layer.classes.forEach(({label: words, colour}, row) => {
        if (!used.has(row)) return;
        const entry = element('li');
        entry.append(swatch({line: '#8c8c8c', fill: colour, opacity: 1}), element('span', words));
        classes.append(entry);
      });
      box.append(classes);
    }
    input.addEventListener('change', () => {
      show(view, layer, input.checked);
      label.classList.toggle('off', !input.checked);
      if (classes) classes.classList.toggle('off', !input.checked);
      if (!input.checked && view.chosen && view.chosen.layer === layer) choose(view, null);
      list(view);
      remember(view);
    });
  }
}

function startJumps(view) {
  const {jumps} = view.data;
  if (jumps.length < 2) return;
  byId('jump-row').hidden = false;
  const select = byId('jump');
  select.append(element('option', WORDS.jump_choose, {value: ''}));
  jumps.forEach(({label}, row) => select.append(element('option', label, {value: row})));
  select.addEventListener('change', () => {
    if (select.value === '') return;
    const [west, south, east, north] = jumps[select.value].box;
    view.map.fitBounds(L.latLngBounds([[south, west], [north, east]]).pad(0.05), {animate: false});
  });
}

// --- what is in view ----------------------------------------------------------------------------------------------

function inView(view) {
  const box = seenBox(view);
  return visibleLayers(view).map((layer) => ({layer, seen: layer.features.filter((one) => meets(one, box))}));
}

function listed(view) {
  const {lat, lng} = view.map.getCenter();
  const away = (one) => Math.hypot((one.lon - lng) * Math.cos((lat * Math.PI) / 180), one.lat - lat);
  const rows = inView(view).filter(({layer}) => isQuarter(layer) || layer.id === 'communes').reverse()
    .map(({layer, seen}) => ({layer, seen: [...seen].sort((one, other) => away(one) - away(other))}));
  return rows.flatMap(({seen}) => seen);
}

function list(view) {
  const every = listed(view), rows = every.slice(0, MOST_LISTED);
  const first = rows.find(({layer}) => layer.figures.length);
  const head = element('tr');
  head.append(element('th', WORDS.name, {scope: 'col'}), element('th', WORDS.layer, {scope: 'col'}));
  if (first) head.append(element('th', capital(first.layer.figures[0].label), {scope: 'col', class: 'number'}));
  const table = byId('list');
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(...rows.map((feature) => {
    const row = element('tr'), name = element('td'), {layer} = feature;
    const button = element('button', feature.name, {type: 'button'});
    button.addEventListener('click', () => choose(view, feature, {move: true}));
    name.append(button);
    if (feature.place) name.append(element('div', feature.place));
    row.append(name, element('td', capital(layer.label)));
    // one column, one figure
    const figure = first && layer.figures.find((one) => one.label === first.layer.figures[0].label);
    const text = figure ? written(figure.values[feature.row], figure.kind) : MISSING;
    if (first) row.append(element('td', text, {class: 'number'}));
    return row;
  }));
  byId('more').textContent = every.length > rows.length ? counted('more', every.length - rows.length) : '';
  byId('summary').textContent = inView(view)
    .map(({layer, seen}) => `${capital(layer.label)}${WORDS.colon} ${written(seen.length, 'number')}`).join(LANG === 'fr' ? '\u202f; ' : '; ');
}

// --- pointer ------------------------------------------------------------------------------------------------------

function startPointer(view) {
  const tip = byId('tip'), stage = byId('stage');
  let waiting = false, last = null;
  view.map.on('mousemove', (event) => {
    last = event;
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const feature = last && at(view, last.latlng);
      tip.hidden = !feature;
      if (!feature) return;
      tip.replaceChildren(...told(feature));
      const {x, y} = last.containerPoint;
      tip.style.left = Math.max(4, Math.min(x + 14, stage.clientWidth - tip.offsetWidth - 4)) + 'px';
      tip.style.top = Math.max(4, y + 16 + tip.offsetHeight > stage.clientHeight ? y - tip.offsetHeight - 10 : y + 16) + 'px';
    });
  });
  view.map.on('mouseout movestart', () => {
    last = null;
    tip.hidden = true;
  });
  view.map.on('click', (event) => choose(view, at(view, event.latlng)));
}

// --- address ------------------------------------------------------------------------------------------------------

let pending = 0, written_hash = '';

// longitude/latitude/zoom, then -hidden,layers and =code where there are any
function address(view) {
  const {lat, lng} = view.map.getCenter();
  const parts = [lng.toFixed(5), lat.toFixed(5), view.map.getZoom().toFixed(2)];
  const off = view.data.layers.filter((layer) => !layer.visible).map((layer) => layer.id);
  if (off.length) parts.push('-' + off.join(','));
  if (view.chosen && view.chosen.code) parts.push('=' + view.chosen.code);
  return '#' + parts.map(encodeURIComponent).join('/');
}

function remember(view) {
  clearTimeout(pending);
  pending = setTimeout(() => {
    written_hash = address(view);
    try {
      history.replaceState(null, '', written_hash);
    } catch (error) {
      // in the frame of a notebook there is no address to write
    }
  }, 200);
}

function recall(view) {
  if (location.hash === written_hash) return;
  const parts = location.hash.slice(1).split('/').map(decodeURIComponent);
  const [lon, lat, zoom] = parts.slice(0, 3).map(Number);
  if (parts.length < 3 || ![lon, lat, zoom].every(Number.isFinite)) return;
  view.map.setView([lat, lon], zoom, {animate: false});
  const more = parts.slice(3), after = (sign) => (more.find((part) => part.startsWith(sign)) || sign).slice(1);
  const off = after('-').split(',');
  for (const input of byId('layers').querySelectorAll('input')) {
    if (input.checked === off.includes(input.value)) {
      input.checked = !input.checked;
      input.dispatchEvent(new Event('change'));
    }
  }
  const code = after('=');
  const found = code && view.data.layers.flatMap((layer) => layer.features).find((one) => one.code === code);
  if (found) choose(view, found);
}
