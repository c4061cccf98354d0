// The map: a canvas for each layer, dots for what is too small to see, names where there is room.

const SMALL = 5;          // pixels below which an area is a dot
const DOT = 2.5;          // radius of a dot
const NEAR = 6;           // pixels within which a point or a dot is meant
const MOST_NAMES = 60;
const COMMUNE_NAMES = 9.5, QUARTER_NAMES = 12.5;   // zooms from which they are written

const Dots = L.Canvas.extend({
  _dot(shape, at) {
    if (!this._drawing) return;
    const context = this._ctx;
    context.beginPath();
    context.arc(at.x, at.y, DOT, 0, 2 * Math.PI);
    context.globalAlpha = 0.85;
    context.fillStyle = shape.options.color;
    context.fill();
    context.globalAlpha = 1;
  },
});

const Area = L.Polygon.extend({
  _updatePath() {
    const box = this._rawPxBounds;
    const size = box && box.isValid() ? box.getSize() : null;
    if (this.options.dots && size && Math.max(size.x, size.y) < SMALL) this._renderer._dot(this, box.getCenter());
    else {
      const {casing, color, weight, dashArray} = this.options;
      if (casing) {
        // a pale line below, so that the perimeter is seen over any colour
        const wide = {color: casing, weight: weight + 2.5, dashArray: null, _dashArray: null};
        Object.assign(this.options, wide);
        L.Polygon.prototype._updatePath.call(this);
        Object.assign(this.options, {color, weight, dashArray});
        this._renderer._updateDashArray(this);
      }
      L.Polygon.prototype._updatePath.call(this);
    }
  },
});

function isQuarter(layer) {
  return layer.id.startsWith('qpv-') || layer.id.startsWith('perimeters-');
}

// Halfway to white: what lies outside the place.
function paler(colour) {
  const parts = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
  return '#' + parts.map((part) => Math.round((part + 255) / 2).toString(16).padStart(2, '0')).join('');
}

function styleOf(layer, row) {
  const {line, fill, opacity, width, dash, casing} = layer.style;
  const colour = layer.classes.length ? layer.classes[layer.of[row]].colour : fill;
  const faded = layer.outside.has(row);
  return {
    color: faded ? paler(line) : line, weight: faded ? width * 0.7 : width, dashArray: dash || null,
    fillColor: colour, fillOpacity: faded ? opacity / 3 : opacity,
    interactive: false, dots: isQuarter(layer), casing,
  };
}

function startMap(data) {
  const map = L.map('map', {
    zoomControl: false, attributionControl: false, zoomSnap: 0.25, wheelPxPerZoomLevel: 100,
    minZoom: 3, maxZoom: 18, keyboardPanDelta: 120,
  });
  const [west, south, east, north] = data.view;
  const home = [[south, west], [north, east]];
  map.fitBounds(home, {animate: false});
  L.control.zoom({zoomInTitle: WORDS.zoom_in, zoomOutTitle: WORDS.zoom_out}).addTo(map);
  L.control.scale({imperial: false}).addTo(map);

  data.layers.forEach((layer, rank) => {
    layer.outside = new Set(layer.faded);
    const pane = map.createPane('layer-' + rank);
    pane.style.zIndex = 400 + rank;
    pane.style.pointerEvents = 'none';
    layer.renderer = new Dots({pane: 'layer-' + rank, padding: 0.25});
    layer.group = L.layerGroup(layer.features.map((feature) => shapeOf(feature)));
    layer.visible = true;
    layer.group.addTo(map);
  });
  const top = map.createPane('chosen');
  top.style.zIndex = 600;
  top.style.pointerEvents = 'none';
  const names = map.createPane('names');
  names.style.zIndex = 610;
  names.style.pointerEvents = 'none';
  names.setAttribute('aria-hidden', 'true');

  const view = {map, data, home, marks: L.layerGroup().addTo(map), topRenderer: new Dots({pane: 'chosen'})};
  map.on('moveend zoomend resize', () => drawNames(view));
  new ResizeObserver(() => map.invalidateSize({pan: false})).observe(document.getElementById('stage'));
  return view;
}

function shapeOf(feature) {
  const options = {...styleOf(feature.layer, feature.row), renderer: feature.layer.renderer};
  if (feature.layer.kind !== 'points') return new Area(feature.polygons, options);
  const unknown = feature.layer.of[feature.row] === 2;
  const radius = Math.min(4, Math.max(2, 120 / Math.sqrt(feature.layer.count)));
  return L.circleMarker([feature.lat, feature.lon], {
    ...options, radius, weight: radius > 3 ? 1 : 0.6, color: unknown ? options.fillColor : options.color,
    fillColor: unknown ? '#ffffff' : options.fillColor,
  });
}

function show(view, layer, visible) {
  layer.visible = visible;
  if (visible) layer.group.addTo(view.map);
  else layer.group.remove();
  drawNames(view);
}

function visibleLayers(view) {
  return view.data.layers.filter((layer) => layer.visible);
}

// West, south, east, north of what is seen, degrees.
function seenBox(view) {
  const box = view.map.getBounds();
  return [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()];
}

function meets(feature, box) {
  const own = feature.box;
  return own[0] <= box[2] && own[2] >= box[0] && own[1] <= box[3] && own[3] >= box[1];
}

function holds(polygons, lon, lat) {
  let inside = false;
  for (const rings of polygons) {
    for (const ring of rings) {
      for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
        const [y1, x1] = ring[i], [y2, x2] = ring[j];
        if ((y1 > lat) !== (y2 > lat) && lon < ((x2 - x1) * (lat - y1)) / (y2 - y1) + x1) inside = !inside;
      }
    }
  }
  return inside;
}

// What is at a place of the map: the uppermost area, or the nearest point or dot.
function at(view, latlng) {
  const {lat, lng} = latlng;
  const here = view.map.latLngToContainerPoint(latlng);
  const corner = view.map.containerPointToLatLng(here.add([NEAR, -NEAR]));
  const wide = corner.lng - lng, high = corner.lat - lat;
  for (const layer of visibleLayers(view).reverse()) {
    if (layer.id === 'departments') continue;
    let best = null, least = Infinity;
    for (const feature of layer.features) {
      const [west, south, east, north] = feature.box;
      if (lng < west - wide || lng > east + wide || lat < south - high || lat > north + high) continue;
      const small = layer.kind === 'points' || (east - west < 2 * wide && north - south < 2 * high);
      if (!small && holds(feature.polygons, lng, lat)) return feature;
      if (!small) continue;
      const away = Math.hypot((feature.lon - lng) / wide, (feature.lat - lat) / high);
      if (away < least) [best, least] = [feature, away];
    }
    if (best) return best;
  }
  return null;
}

function mark(view, feature) {
  view.chosen = feature;
  view.marks.clearLayers();
  if (!feature) return;
  const style = {color: '#d6002a', weight: 3.5, fill: false, interactive: false, renderer: view.topRenderer};
  const point = L.circleMarker([feature.lat, feature.lon], {...style, radius: 9});
  const small = feature.layer.kind === 'points' || isSmall(view, feature);
  view.marks.addLayer(small || !feature.polygons.length ? point : L.polygon(feature.polygons, style));
}

function isSmall(view, feature) {
  const [west, south, east, north] = feature.box;
  const size = view.map.latLngToContainerPoint([south, east]).subtract(view.map.latLngToContainerPoint([north, west]));
  return Math.max(size.x, size.y) < 3 * SMALL;
}

function goTo(view, feature) {
  const [west, south, east, north] = feature.box;
  const bounds = L.latLngBounds([[south, west], [north, east]]).pad(0.6);
  view.map.fitBounds(bounds, {maxZoom: feature.layer.kind === 'points' ? 17 : 15.5, animate: false});
}

// Names from the most to the least important: of the place first, communes by people, then perimeters by people.
function nameCandidates(view) {
  const box = seenBox(view), zoom = view.map.getZoom(), found = [];
  for (const layer of visibleLayers(view)) {
    const quarters = isQuarter(layer);
    const wanted = quarters ? zoom >= QUARTER_NAMES : layer.id === 'communes' ? zoom >= COMMUNE_NAMES
      : layer.id === 'departments' && zoom < COMMUNE_NAMES && zoom >= 7;
    if (!wanted) continue;
    const people = layer.figures[0];
    for (const feature of layer.features) {
      if (feature.lon < box[0] || feature.lon > box[2] || feature.lat < box[1] || feature.lat > box[3]) continue;
      const outside = layer.outside.has(feature.row);
      found.push({feature, quarters, outside, weight: (people && people.values[feature.row]) || 0});
    }
  }
  return found.sort((one, other) => one.outside - other.outside || one.quarters - other.quarters || other.weight - one.weight);
}

function placedNames(view) {
  const measure = document.createElement('canvas').getContext('2d');
  measure.font = '600 12px ' + getComputedStyle(document.body).fontFamily;
  const taken = [], placed = [], said = new Set();
  for (const {feature, quarters, outside} of nameCandidates(view)) {
    if (placed.length >= MOST_NAMES) break;
    // a quarter of both geographies is named once
    const name = plain(feature.name);
    if (quarters && said.has(name)) continue;
    const point = view.map.latLngToContainerPoint([feature.lat, feature.lon]);
    const half = measure.measureText(feature.name).width / 2 + 3;
    const box = [point.x - half, point.y - 8, point.x + half, point.y + 8];
    if (taken.some((one) => one[0] < box[2] && one[2] > box[0] && one[1] < box[3] && one[3] > box[1])) continue;
    taken.push(box);
    said.add(name);
    placed.push({feature, quarters, outside, point});
  }
  return placed;
}

function drawNames(view) {
  const pane = view.map.getPane('names');
  pane.replaceChildren(...placedNames(view).map(({feature, quarters, outside}) => {
    const kind = outside ? ' outside' : quarters ? ' quarter' : '';
    const made = element('span', feature.name, {class: 'words-on-map' + kind});
    const point = view.map.latLngToLayerPoint([feature.lat, feature.lon]);
    made.style.left = point.x + 'px';
    made.style.top = point.y + 'px';
    return made;
  }));
}
