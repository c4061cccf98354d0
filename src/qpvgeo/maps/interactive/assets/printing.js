// On paper the map is drawn again as vectors: what is in view, with its names and a scale bar.

const SVG = 'http://www.w3.org/2000/svg';

function vector(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function pathOf(view, feature) {
  const steps = [];
  for (const rings of feature.polygons) {
    for (const ring of rings) {
      let before = null;
      ring.forEach(([lat, lon], place) => {
        const {x, y} = view.map.latLngToContainerPoint([lat, lon]);
        const now = x.toFixed(1) + ' ' + y.toFixed(1);
        if (now !== before) steps.push((place ? 'L' : 'M') + now);
        before = now;
      });
      steps.push('Z');
    }
  }
  return steps.join('');
}

function vectorOf(view, feature) {
  const style = styleOf(feature.layer, feature.row);
  const paint = {fill: style.fillColor, 'fill-opacity': style.fillOpacity, stroke: style.color, 'stroke-width': style.weight};
  if (style.dashArray) paint['stroke-dasharray'] = style.dashArray;
  const {x, y} = view.map.latLngToContainerPoint([feature.lat, feature.lon]);
  if (feature.layer.kind === 'points') return vector('circle', {cx: x, cy: y, r: 3.5, ...paint});
  const [west, south, east, north] = feature.box;
  const size = view.map.latLngToContainerPoint([south, east]).subtract(view.map.latLngToContainerPoint([north, west]));
  if (style.dots && Math.max(size.x, size.y) < SMALL) {
    return vector('circle', {cx: x.toFixed(1), cy: y.toFixed(1), r: DOT, fill: style.color});
  }
  return vector('path', {d: pathOf(view, feature), 'fill-rule': 'evenodd', ...paint});
}

function scaleBar(view, width, height) {
  const box = view.map.getBounds();
  const middle = box.getCenter().lat;
  const metres = view.map.distance([middle, box.getWest()], [middle, box.getEast()]) / 5;
  const power = 10 ** Math.floor(Math.log10(metres));
  const length = [5, 2, 1].find((one) => one * power <= metres) * power;
  const wide = (length / (metres * 5)) * width;
  const group = vector('g', {});
  const [left, low] = [14, height - 14];
  group.append(vector('rect', {x: left - 8, y: low - 24, width: wide + 16, height: 32, fill: '#ffffff', 'fill-opacity': 0.8}));
  group.append(vector('path', {d: `M${left} ${low - 6}V${low}H${left + wide}V${low - 6}`, fill: 'none', stroke: '#161616', 'stroke-width': 1.5}));
  const words = length >= 1000 ? written(length / 1000, 'number') + '\u00a0km' : written(length, 'number') + '\u00a0m';
  group.append(vector('text', {x: left, y: low - 10, 'font-size': 12, fill: '#161616'}, words));
  return group;
}

function drawPaper(view) {
  const {x: width, y: height} = view.map.getSize();
  const drawing = vector('svg', {viewBox: `0 0 ${width} ${height}`, 'font-family': 'sans-serif'});
  drawing.append(vector('rect', {width, height, fill: '#eef2f5'}));
  const box = seenBox(view);
  for (const layer of visibleLayers(view)) {
    const group = vector('g', {});
    // the pale lines below perimeters that lie over colours
    if (layer.style.casing) {
      group.append(...layer.features.filter((one) => meets(one, box)).map((one) => vector('path', {
        d: pathOf(view, one), fill: 'none', stroke: layer.style.casing, 'stroke-width': layer.style.width + 2.5,
      })));
    }
    group.append(...layer.features.filter((one) => meets(one, box)).map((one) => vectorOf(view, one)));
    drawing.append(group);
  }
  if (view.chosen) {
    const {lat, lon, polygons} = view.chosen;
    const line = {fill: 'none', stroke: '#d6002a', 'stroke-width': 3};
    const {x, y} = view.map.latLngToContainerPoint([lat, lon]);
    const small = isSmall(view, view.chosen) || !polygons.length;
    drawing.append(small ? vector('circle', {cx: x, cy: y, r: 9, ...line})
      : vector('path', {d: pathOf(view, view.chosen), ...line}));
  }
  for (const {feature, quarters, point} of placedNames(view)) {
    drawing.append(vector('text', {
      x: point.x.toFixed(1), y: (point.y + 4).toFixed(1), 'text-anchor': 'middle', 'font-size': 12,
      'font-weight': quarters ? 600 : 400, fill: quarters ? '#3d003b' : '#3a3a3a',
      stroke: '#ffffff', 'stroke-width': 3, 'stroke-linejoin': 'round', 'paint-order': 'stroke',
    }, feature.name));
  }
  drawing.append(scaleBar(view, width, height));
  document.getElementById('paper').replaceChildren(drawing);
}

function startPrinting(view) {
  addEventListener('beforeprint', () => drawPaper(view));
  addEventListener('afterprint', () => document.getElementById('paper').replaceChildren());
  document.getElementById('print').addEventListener('click', () => print());
}
