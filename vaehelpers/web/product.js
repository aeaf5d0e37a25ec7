// Matrix products in WebAssembly SIMD (product.wat) or, where a browser lacks or forbids it, in plain JavaScript.
//
// `bundle` in explorer.py writes the binary at the top of this module, as WASM, in base64.

/**
 * Return a function `allocate(n)`, which returns `n` floats and the function that multiplies matrices among them:
 *
 *   multiply(a, aRow, aStep, b, c, cRow, rows, inner, columns)   C += A · B, (rows, inner) times (inner, columns)
 *
 * `a`, `b` and `c` are indices of the first elements. The rows of A and C begin `aRow` and `cRow` floats apart, the
 * elements in a row of A are `aStep` apart (so that a transposed matrix needs no copy), and B is contiguous. `rows` is
 * a multiple of 4, `columns` of 8. The memory never grows. `simd: false` chooses plain JavaScript.
 */
export function createProduct({ simd = true } = {}) {
  const compiled = simd ? compile() : null;
  return (n) => {
    if (!compiled) {
      const floats = new Float32Array(n);
      return { floats, multiply: (...operands) => multiply(floats, ...operands) };
    }
    const pages = Math.ceil(4 * n / 65536), memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { exports } = new WebAssembly.Instance(compiled, { page: { memory } });
    return { floats: new Float32Array(memory.buffer, 0, n), multiply: exports.multiply };
  };
}

/** Return null where WebAssembly, its SIMD or its compilation (by a content security policy) is unavailable. */
function compile() {
  try {
    return new WebAssembly.Module(Uint8Array.from(atob(WASM), (letter) => letter.charCodeAt(0)));
  } catch {
    return null;
  }
}

/** Compute four rows times two columns at once, so that each number loaded serves several products. */
function multiply(floats, a, aRow, aStep, b, c, cRow, rows, inner, columns) {
  for (let row = 0; row < rows; row += 4) {
    const a0 = a + row * aRow, a1 = a0 + aRow, a2 = a1 + aRow, a3 = a2 + aRow;
    for (let column = 0; column < columns; column += 2) {
      const c0 = c + row * cRow + column, c1 = c0 + cRow, c2 = c1 + cRow, c3 = c2 + cRow;
      let l0 = floats[c0], l1 = floats[c1], l2 = floats[c2], l3 = floats[c3];
      let r0 = floats[c0 + 1], r1 = floats[c1 + 1], r2 = floats[c2 + 1], r3 = floats[c3 + 1];
      for (let k = 0, p = 0, q = b + column; k < inner; k++, p += aStep, q += columns) {
        const left = floats[q], right = floats[q + 1];
        const v0 = floats[a0 + p], v1 = floats[a1 + p], v2 = floats[a2 + p], v3 = floats[a3 + p];
        l0 += v0 * left;
        r0 += v0 * right;
        l1 += v1 * left;
        r1 += v1 * right;
        l2 += v2 * left;
        r2 += v2 * right;
        l3 += v3 * left;
        r3 += v3 * right;
      }
      floats[c0] = l0;
      floats[c1] = l1;
      floats[c2] = l2;
      floats[c3] = l3;
      floats[c0 + 1] = r0;
      floats[c1 + 1] = r1;
      floats[c2 + 1] = r2;
      floats[c3 + 1] = r3;
    }
  }
}
