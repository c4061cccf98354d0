// Words and numbers. Everything that comes from the data is put on the page as text, never as HTML.

const WORDS = JSON.parse(document.getElementById('words').textContent);
const LANG = document.documentElement.lang;
const MISSING = WORDS.missing;

function counted(key, number) {
  return (WORDS[number === 1 || (LANG === 'fr' && number === 0) ? key + '_one' : key] || '').replace('#', written(number, 'number'));
}

function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, LANG === 'fr' ? '\u202f' : ',');
}

function decimal(value, places) {
  const [whole, part] = Math.abs(value).toFixed(places).split('.');
  const sign = value < 0 ? '\u2212' : '';
  return sign + grouped(whole) + (part ? (LANG === 'fr' ? ',' : '.') + part : '');
}

// As the tables of the library write it: 12,345 or 12 345; 8.1% or 8,1 %.
function written(value, kind) {
  if (value === null || value === undefined) return MISSING;
  if (kind === 'share') return decimal(100 * value, 1) + (LANG === 'fr' ? '\u202f%' : '%');
  return decimal(value, kind === 'decimal' ? 2 : 0);
}

function figureText(figure, row) {
  const value = written(figure.values[row], figure.kind);
  if (!figure.low || figure.values[row] === null) return value;
  const ends = [figure.low[row], figure.high[row]].map((end) => written(end, figure.kind));
  return value + ' ' + WORDS.bounds.replace('#', ends[0]).replace('#', ends[1]);
}

// Text to compare: no accents, no capitals, no punctuation, ligatures in full.
function plain(text) {
  return text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase()
    .replace(/œ/g, 'oe').replace(/æ/g, 'ae').replace(/[^a-z0-9]+/g, ' ').trim();
}

function element(tag, text, attributes) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  return made;
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// What is said of an area or a point: its name, where it is, its figures with their bounds, and their sources.
function told(feature) {
  const {layer, row} = feature;
  const parts = [element('p', feature.name, {class: 'name'})];
  const codes = [capital(layer.label), feature.code !== feature.name ? feature.code : ''].filter(Boolean);
  parts.push(element('p', codes.join(' \u00b7 '), {class: 'where'}));
  if (feature.place) parts.push(element('p', feature.place, {class: 'where'}));
  if (layer.kind === 'points' && layer.classes.length) {
    parts.push(element('p', layer.classes[layer.of[row]].label, {class: 'where'}));
  }
  if (layer.figures.length) {
    const list = element('dl');
    for (const figure of layer.figures) {
      list.append(element('dt', capital(figure.label)), element('dd', figureText(figure, row)));
    }
    parts.push(list);
    const sources = [...new Set(layer.figures.map((figure) => figure.source).filter(Boolean))];
    if (sources.length) parts.push(element('p', WORDS.source + ' ' + sources.join(', '), {class: 'source'}));
  }
  return parts;
}
