// The course's hand (hands.py) in plain JavaScript, one image at a time.
//
// The constants in capitals are those of hands.py: `bundle` in explorer.py writes them at the top of this module. The
// formulas are repeated here, and a test compares the images. Work per pixel stays inside one function, since numbers
// passed between functions may be boxed.

/** Draw the hand of ten factors, in the order of FACTORS: rows of pixels from the top, each in [0, 1]. */
export function render(factors, size) {
  const [x, y, scale, rotation, spread, thumbCurl, ...curls] = factors, shade = new Float32Array(size ** 2);
  placePixels(x, y, scale, rotation, size);
  paintPalm(shade);
  for (let i = 3; i >= 0; i--) {
    paintBones(fingers[i], poseFinger(fingers[i], spread, curls[i]), shade);
  }
  paintBones(thumb, poseThumb(thumbCurl), shade);
  return shade;
}

// For each of `n` pixels: its place in the hand's own frame and the height painted so far; `index` lists pixels that
// a part may cover. The arrays are reused for the next image.
const hand = { n: 0, pixel: 0, x: [], y: [], height: [], index: [] };

function placePixels(x, y, scale, rotation, size) {
  hand.n = size ** 2;
  hand.pixel = 2 / size / scale;
  if (hand.n > hand.x.length) {
    for (const name of ["x", "y", "height"]) hand[name] = new Float64Array(hand.n);
    hand.index = new Uint32Array(hand.n);
  }
  hand.height.fill(-1);
  const sin = Math.sin(rotation) / scale, cos = Math.cos(rotation) / scale;
  for (let v = 0, i = 0; v < size; v++) {
    for (let u = 0; u < size; u++, i++) {
      const dx = (2 * u + 1) / size - 1 - x, dy = 1 - (2 * v + 1) / size - y;
      hand.x[i] = cos * dx - sin * dy;
      hand.y[i] = sin * dx + cos * dy;
    }
  }
}

/** List the pixels inside a box of the hand's frame, enlarged by a pixel, in `hand.index`, and return their number. */
function region({ left, right, bottom, top }) {
  const { x, y, index, pixel } = hand;
  let n = 0;
  for (let i = 0; i < hand.n; i++) {
    const across = x[i] > left - pixel && x[i] < right + pixel;
    if (across && y[i] > bottom - pixel && y[i] < top + pixel) index[n++] = i;
  }
  return n;
}

/** Paint a polygon with rounded corners that blends into the wrist. */
function paintPalm(shade) {
  const [top, bottom, width] = WRIST, { sides, distances, joined } = palm;
  const n = region(palm);
  for (let k = 0; k < n; k++) {
    const i = hand.index[k], x = hand.x[i], y = hand.y[i], dy = y - clip(y, bottom, top);
    for (let j = 0; j < sides.length; j++) {
      const side = sides[j];
      distances[j] = side.dx * (y - side.y) - side.dy * (x - side.x);
    }
    joined[0] = -softMax(distances);
    joined[1] = width - Math.sqrt(x * x + dy * dy); // Math.hypot is slow
    const edge = -softMax(joined), facing = dome(1 - clip(-edge / 0.16, 0, 1));
    paint(shade, i, edge, THICKNESS * facing, facing, PALM_TONE);
  }
}

/** Paint the volumes swept by balls along the bones; height and width change linearly along each. */
function paintBones(box, bones, shade) {
  const n = region(box);
  for (let k = 0; k < n; k++) {
    const i = hand.index[k];
    let edge = 9, height = -9, facing = 0;
    for (let j = 0; j < 3; j++) {
      const bone = bones[j], dx = hand.x[i] - bone.x, dy = hand.y[i] - bone.y;
      const along = bone.sin * dx + bone.cos * dy - bone.start, across = bone.cos * dx - bone.sin * dy;
      const share = clip(along / bone.length, 0, 1), beyond = along - share * bone.length;
      const radius = bone.width + bone.widening * share;
      const distance = Math.sqrt(across * across + beyond * beyond);
      const facingHere = dome(Math.min(distance / radius, 0.9));
      const heightHere = bone.low + bone.rise * share + radius * facingHere - 30 * Math.max(distance - radius, 0);
      if (heightHere > height) {
        height = heightHere;
        facing = facingHere;
      }
      edge = Math.min(distance - radius, edge);
    }
    const tone = clip(FINGER_TONE + TONE_RISE * height, FINGER_TONE, 1); // the nearer to you, the brighter
    paint(shade, i, edge, height, facing, tone);
  }
}

/** Paint a surface on a pixel where it is the highest so far; its edge is darker than its centre. */
function paint(shade, i, edge, height, facing, tone) {
  const cover = clip(0.5 - edge / hand.pixel, 0, 1) * clip(0.5 + (height - hand.height[i]) / 0.04, 0, 1);
  shade[i] += cover * (tone * (0.5 + 0.5 * facing) - shade[i]);
  hand.height[i] += cover * (height - hand.height[i]);
}

/** Return a maximum with rounded corners: a scaled log-sum-exp. */
function softMax(distances) {
  let peak = -Infinity, sum = 0;
  for (let i = 0; i < distances.length; i++) peak = Math.max(peak, distances[i]);
  for (let i = 0; i < distances.length; i++) sum += Math.exp((distances[i] - peak) / ROUNDING);
  return peak + ROUNDING * Math.log(sum);
}

/** Return the height of the unit sphere at a distance `ratio` from its axis. */
function dome(ratio) {
  return Math.sqrt(1 - ratio * ratio);
}

function clip(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// The parts: each has its bounding box, and arrays for what differs between images.

const boxes = BOXES.map(([left, right, bottom, top]) => ({ left, right, bottom, top }));
const palm = {
  ...boxes[0],
  sides: PALM.map(([x, y], i) => {
    const [toX, toY] = PALM[(i + 1) % PALM.length], length = Math.hypot(toX - x, toY - y);
    return { x, y, dx: (toX - x) / length, dy: (toY - y) / length };
  }),
  distances: new Float64Array(PALM.length), joined: new Float64Array(2),
};
const fingers = FINGERS.map(([x, y, closed, fanned, ...rest], i) => {
  const lengths = rest.slice(0, 3), widths = TAPER.map((taper) => taper * rest[3]);
  return { ...boxes[FINGERS.length - i], x, y, closed, fanned, lengths, widths }; // the little finger is painted first
});
const thumb = boxes.at(-1);

/** Return three bones in a plane upright on the palm: seen from the front, a curl shortens, then folds them. */
function poseFinger({ x, y, closed, fanned, lengths, widths }, spread, curl) {
  const angle = closed + spread * (fanned - closed);
  let bend = 0, start = 0, low = KNUCKLE;
  return lengths.map((full, i) => {
    bend += BEND[i] * curl;
    const length = full * Math.cos(bend), rise = full * Math.sin(bend);
    const bone = createBone(x, y, angle, start, length, low, rise, widths[i], widths[i + 1]);
    start += length;
    low += rise;
    return bone;
  });
}

/** Return three bones that swing across the palm, mostly in the plane of the image. */
function poseThumb(curl) {
  let [x, y] = THUMB_BASE, low = 0;
  return THUMB.map(([length, stretched, folded], i) => {
    const rise = THUMB_RISE[i] * curl, angle = stretched + curl * (folded - stretched);
    const bone = createBone(x, y, angle, 0, length, low, rise, THUMB_WIDTHS[i], THUMB_WIDTHS[i + 1]);
    x += length * Math.sin(angle);
    y += length * Math.cos(angle);
    low += rise;
    return bone;
  });
}

function createBone(x, y, angle, start, length, low, rise, width, endWidth) {
  if (Math.abs(length) < 1e-3) length = 1e-3; // no division by 0
  const [sin, cos, widening] = [Math.sin(angle), Math.cos(angle), endWidth - width];
  return { x, y, sin, cos, start, length, low, rise, width, widening };
}
