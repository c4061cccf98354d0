(() => {
'use strict';
// runs before the script of the page, and waits for the map that it makes
const words = JSON.parse(document.getElementById('live-words').textContent);
const byId = (id) => document.getElementById(id);
const lang = byId('live').dataset.lang;
const number = (value, digits = 0) =>
  new Intl.NumberFormat(lang, {maximumFractionDigits: digits, minimumFractionDigits: digits}).format(value);
const share = (value) => new Intl.NumberFormat(lang, {style: 'percent', maximumFractionDigits: 1}).format(value);
const filled = (text, ...values) => values.reduce((said, value) => said.replace('#', value), text);
const state = {map: null, mode: '', corners: [], drawn: null, asked: 0};

function element(name, text, className) {
  const made = document.createElement(name);
  // texts of the service are never read as HTML
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function answer(...parts) {
  byId('live-answer').replaceChildren(...parts);
  if (parts.length) byId('live-answer').scrollIntoView({block: 'nearest'});
}

function list(pairs) {
  const made = element('dl');
  for (const [name, value] of pairs) {
    if (value !== null && value !== undefined && value !== '') made.append(element('dt', name), element('dd', value));
  }
  return made;
}

function refusal(problem) {
  const lines = [problem.title, ...(problem.problems || []), problem.way_out].filter(Boolean);
  return lines.map((line, row) => element('p', line, row ? '' : 'live-state'));
}

async function ask(path, options) {
  const turn = ++state.asked;
  answer(element('p', words.working));
  let found;
  try {
    const response = await fetch(path, {headers: {'Accept-Language': lang, ...(options || {}).headers}, ...options});
    found = {ok: response.ok, body: await response.json()};
  } catch (error) {
    found = {ok: false, body: {title: words.failed}};
  }
  // an answer that comes late says nothing of the last question
  if (turn !== state.asked) return null;
  if (found.ok) return found.body;
  answer(...refusal(found.body));
  return null;
}

async function search(event) {
  event.preventDefault();
  const text = byId('live-q').value.trim();
  if (!text) return;
  const found = await ask(`/v1/places?lang=${lang}&limit=8&q=${encodeURIComponent(text)}`);
  if (!found) return;
  answer();
  const rows = found.places.map((place) => {
    const detail = [place.code, place.vintage, place.within].filter(Boolean).join(', ');
    return choice(`${place.name} (${detail})`, () => go(place));
  });
  if ('addresses' in byId('live').dataset) {
    const listed = await ask(`/v1/addresses?lang=${lang}&limit=5&q=${encodeURIComponent(text)}`);
    if (!listed) return;
    answer();
    rows.push(...listed.addresses.map((one) => choice(one.label, () => reach(one))));
  }
  byId('live-found').replaceChildren(...rows);
  if (!rows.length) answer(element('p', words.none));
}

function choice(text, chosen) {
  const row = element('li');
  const button = element('button', text);
  button.type = 'button';
  button.addEventListener('click', chosen);
  row.append(button);
  return row;
}

function reach(address) {
  const place = L.latLng(address.lat, address.lon);
  state.map.setView(place, 16, {animate: false});
  locate(place, {type: address.type, score: address.score});
}

function go(place) {
  if (!place.bbox) return;
  const [west, south, east, north] = place.bbox;
  state.map.fitBounds([[south, west], [north, east]], {animate: false, padding: [30, 30]});
}

async function locate(point, geocoded) {
  const place = point.wrap();
  mark([place]);
  const day = byId('live-on').value;
  const query = new URLSearchParams({lang, lon: place.lng.toFixed(6), lat: place.lat.toFixed(6)});
  if (day) query.set('on', day);
  for (const [name, value] of Object.entries(geocoded || {})) if (value !== null && value !== '') query.set(name, value);
  const found = await ask(`/v1/locate?${query}`);
  if (!found) return;
  const head = found.state === 'unknown' ? `${words.unknown}${lang === 'fr' ? '\u00a0' : ''}: ${found.reason_text}` : words[found.state];
  const others = found.perimeters.slice(1).join(', ');
  answer(
    element('p', head, 'live-state'),
    list([
      ['QPV', found.qpv_code && `${found.qpv_name || ''} (${found.qpv_code})`],
      [words.also, others],
      [words.nearest, found.distance_m === null ? '' : `${number(found.distance_m)} m (${found.nearest_qpv})`],
      [words.geography, found.vintage && String(found.vintage)],
    ]),
    element('p', words.indicative, 'hint'),
    ...(found.fictional ? [element('p', found.fictional, 'hint')] : []),
  );
}

function mark(points, closed) {
  if (state.drawn) state.drawn.remove();
  const look = {renderer: state.renderer, pane: 'live', color: '#0a5fd6', weight: 2, interactive: false};
  const made = points.map((point) => L.circleMarker(point, {...look, radius: 5, fillOpacity: .9}));
  if (points.length > 1) made.push((closed ? L.polygon : L.polyline)(points, look));
  state.drawn = L.layerGroup(made).addTo(state.map);
}

function corner(point) {
  state.corners.push(point.wrap());
  mark(state.corners);
}

async function people() {
  if (state.corners.length < 3) return;
  mark(state.corners, true);
  const ring = state.corners.map((point) => [Number(point.lng.toFixed(6)), Number(point.lat.toFixed(6))]);
  const body = JSON.stringify({type: 'Polygon', coordinates: [[...ring, ring[0]]]});
  const headers = {'Content-Type': 'application/json', 'Accept-Language': lang};
  const found = await ask(`/v1/population?lang=${lang}`, {method: 'POST', body, headers});
  if (!found) return;
  const row = found.rows[0];
  const known = row.estimate !== null;
  const bounds = known ? filled(words.between, number(row.low), number(row.high)) : '';
  answer(
    element('p', known ? `${words.people} ${number(row.estimate)} (${bounds})` : words.no_people, 'live-state'),
    list([
      [words.households, row.households === null ? '' : number(row.households)],
      [words.poverty, row.poverty_rate === null ? '' : share(row.poverty_rate)],
      [words.income, row.living_standard_mean_eur === null ? '' : `${number(row.living_standard_mean_eur)} €`],
      [words.qpv, row.qpv.join(', ')],
      ['Insee', row.grid ? `${row.grid} (${row.grid_year})` : ''],
    ]),
    ...(found.fictional ? [element('p', found.fictional, 'hint')] : []),
  );
}

function clear() {
  state.corners = [];
  mark([]);
  answer();
}

function choose(mode) {
  state.mode = state.mode === mode ? '' : mode;
  for (const name of ['ask', 'draw']) byId(`live-${name}`).setAttribute('aria-pressed', String(state.mode === name));
  byId('map').classList.toggle('live-picking', Boolean(state.mode));
}

function send(file) {
  const bar = byId('live-progress');
  const request = new XMLHttpRequest();
  const turn = ++state.asked;
  request.open('POST', `/v1/tag?safe=1&lang=${lang}`);
  request.responseType = 'blob';
  bar.hidden = false;
  bar.value = 0;
  answer(element('p', words.sending));
  request.upload.addEventListener('progress', (event) => {
    if (event.lengthComputable) bar.value = event.loaded / event.total;
  });
  request.upload.addEventListener('load', () => bar.removeAttribute('value'));
  request.addEventListener('loadend', async () => {
    bar.hidden = true;
    if (turn !== state.asked) return;
    if (request.status !== 200) {
      const text = request.response ? await request.response.text() : '';
      let problem = {title: words.failed};
      try { problem = JSON.parse(text); } catch (error) { /* no problem document: the service did not answer */ }
      answer(...refusal(problem));
      return;
    }
    tagged(file, request);
  });
  request.send(file);
}

function tagged(file, request) {
  const counts = JSON.parse(request.getResponseHeader('x-qpvgeo-summary'));
  const {states} = counts;
  const link = element('a', words.download);
  const ending = request.response.type.startsWith('text/csv') ? 'csv' : 'parquet';
  link.href = URL.createObjectURL(request.response);
  link.download = `${file.name.replace(/\.[^.]*$/, '')}-qpv.${ending}`;
  const line = element('p');
  line.append(link);
  answer(
    element('p', filled(words.rows, ...[counts.rows, states.in, states.out, states.unknown].map((one) => number(one))), 'live-state'),
    line,
    ...counts.notes.map((note) => element('p', note, 'hint')),
  );
  link.focus();
}

function dropping() {
  const zone = byId('live-drop');
  const over = (event) => {
    event.preventDefault();
    zone.classList.toggle('over', event.type === 'dragover');
  };
  zone.addEventListener('dragover', over);
  zone.addEventListener('dragleave', over);
  zone.addEventListener('drop', (event) => {
    over(event);
    if (event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
  });
  byId('live-file').addEventListener('change', (event) => {
    if (event.target.files.length) send(event.target.files[0]);
    event.target.value = '';
  });
}

function begin(map) {
  state.map = map;
  map.createPane('live').style.zIndex = 640;
  map.getPane('live').style.pointerEvents = 'none';
  state.renderer = L.svg({pane: 'live'});
  map.on('click', (event) => {
    if (state.mode === 'ask') locate(event.latlng);
    if (state.mode === 'draw') corner(event.latlng);
  });
  byId('live-search').addEventListener('submit', search);
  byId('live-ask').addEventListener('click', () => choose('ask'));
  byId('live-draw').addEventListener('click', () => choose('draw'));
  byId('live-centre').addEventListener('click', () => locate(map.getCenter()));
  byId('live-add').addEventListener('click', () => corner(map.getCenter()));
  byId('live-undo').addEventListener('click', () => { state.corners.pop(); mark(state.corners); });
  byId('live-close').addEventListener('click', people);
  byId('live-clear').addEventListener('click', clear);
  dropping();
  document.documentElement.dataset.live = 'ready';
}

L.Map.addInitHook(function () { begin(this); });
})();
