// Data of the page: base64, gzip, then a header in JSON and streams of zigzag varints (see coding.py).

const STEP = 1e-5;

async function unpacked() {
  const text = document.getElementById('data').textContent.trim();
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const streams = bytes.subarray(4 + length);
  for (const layer of header.layers) {
    layer.features = features(layer, (place) => place && streams.subarray(place[0], place[0] + place[1]));
  }
  return header;
}

function reader(bytes) {
  let at = 0;
  return () => {
    let value = 0, scale = 1, byte;
    do {
      byte = bytes[at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return value % 2 ? -(value + 1) / 2 : value / 2;
  };
}

// A walk from vertex to vertex: longitude and latitude.
function walker(bytes) {
  const next = reader(bytes);
  let x = 0, y = 0;
  return () => {
    x += next();
    y += next();
    return [x * STEP, y * STEP];
  };
}

// Rings are lists of [latitude, longitude], as Leaflet takes them.
function features(layer, stream) {
  const anchor = walker(stream(layer.anchors));
  const areas = layer.kind !== 'points';
  const count = areas && reader(stream(layer.rings));
  const vertex = areas && walker(stream(layer.vertices));
  const found = [];
  for (let row = 0; row < layer.count; row++) {
    const [lon, lat] = anchor();
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    const polygons = [];
    for (let polygon = areas ? count() : 0; polygon > 0; polygon--) {
      const rings = [];
      for (let ring = count(); ring > 0; ring--) {
        const line = [];
        for (let left = count(); left > 0; left--) {
          const [x, y] = vertex();
          if (x < box[0]) box[0] = x;
          if (y < box[1]) box[1] = y;
          if (x > box[2]) box[2] = x;
          if (y > box[3]) box[3] = y;
          line.push([y, x]);
        }
        if (line.length) rings.push(line);
      }
      if (rings.length) polygons.push(rings);
    }
    const code = layer.codes[row] || '';
    found.push({
      layer, row, code, lon, lat, polygons,
      name: layer.names[row] || code,
      place: layer.places[row] || '',
      box: polygons.length ? box : [lon, lat, lon, lat],
    });
  }
  return found;
}
