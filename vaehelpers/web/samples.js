// The images that the playground trains on: hands, digits or one's own. The last of them are held out.
import * as hands from "./hands.js";

export const SIZE = { hands: 32, digits: 8, own: 32 }; // pixels along an edge of an image
export const MIN_OWN_IMAGES = 20;
const HELD_OUT = 200;
const STEPS = [0.7548776662, 0.5698402910]; // multiples of these, modulo 1, fill a square evenly (Roberts 2018)

/** Draw a hand with some factors given as shares of their ranges; the others are neutral. */
export function drawHand(shares) {
  const value = ([name, [low, high, neutral]]) => name in shares ? low + shares[name] * (high - low) : neutral;
  return hands.render(Object.entries(hands.FACTORS).map(value), SIZE.hands);
}

/** Draw hands, the last HELD_OUT of which are held out, with the factors of these as shares of their ranges. */
export const drawHands = function* ({ first, second, n }) {
  const size = SIZE.hands, images = new Float32Array((n + HELD_OUT) * size ** 2), labels = [[], []];
  for (let i = 0; i < n + HELD_OUT; i++) {
    const shares = STEPS.map((step) => (0.5 + i * step) % 1);
    images.set(drawHand({ [second]: shares[1], [first]: shares[0] }), i * size ** 2);
    if (i >= n) shares.forEach((share, k) => labels[k].push(share));
    yield;
  }
  return { images, size, n, held: HELD_OUT, labels, names: [first, second] };
}

/** Unpack scikit-learn's digits: for each 64 pixels from 0 to 16, and its class. */
export async function unpackDigits(n) {
  const packed = Uint8Array.from(atob(DIGITS), (letter) => letter.charCodeAt(0));
  const inflated = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(inflated).arrayBuffer()), all = bytes.length / 65;
  const order = [...Array(all).keys()], rows = [...order.slice(0, -HELD_OUT).slice(0, n), ...order.slice(-HELD_OUT)];
  const images = Float32Array.from({ length: 64 * rows.length }, (_, i) => bytes[65 * rows[i >> 6] + (i & 63)] / 16);
  const classes = rows.slice(-HELD_OUT).map((row) => bytes[65 * row + 64]);
  const note = "each number is the class of an image";
  return { images, size: SIZE.digits, n: rows.length - HELD_OUT, held: HELD_OUT, classes, note };
}

/** Read the middle of each file as a grey square image; every tenth is held out. Throws an Error for other files. */
export async function readOwn(files) {
  const size = SIZE.own, all = Array.from(files), isHeld = (_, i) => i % 10 === 5;
  const held = all.filter(isHeld).length, n = all.length - held;
  const sorted = [...all.filter((file, i) => !isHeld(file, i)), ...all.filter(isHeld)];
  if (all.length < MIN_OWN_IMAGES) throw new Error(`need at least ${MIN_OWN_IMAGES} images, got ${all.length}`);
  const context = new OffscreenCanvas(size, size).getContext("2d", { willReadFrequently: true });
  const images = new Float32Array(all.length * size ** 2);
  for (const [i, file] of sorted.entries()) {
    const bitmap = await createImageBitmap(file).catch(() => {
      throw new Error(`${file.name} cannot be read as an image`);
    });
    const side = Math.min(bitmap.width, bitmap.height);
    context.fillStyle = "white"; // behind what is transparent
    context.fillRect(0, 0, size, size);
    context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, size, size);
    const { data } = context.getImageData(0, 0, size, size);
    for (let p = 0; p < size ** 2; p++) { // as in Pillow (ITU-R 601)
      images[i * size ** 2 + p] = (0.299 * data[4 * p] + 0.587 * data[4 * p + 1] + 0.114 * data[4 * p + 2]) / 255;
    }
  }
  const order = Array.from({ length: held }, (_, i) => i / Math.max(1, held - 1));
  return { images, size, n, held, labels: [order, order], note: "the colours follow the order of the files" };
}
