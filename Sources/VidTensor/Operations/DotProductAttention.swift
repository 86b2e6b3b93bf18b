import CKernels

/// Scaled dot-product attention of several heads over time (Vaswani et al. 2017, "Attention is all you need"), forward and backward:
/// P = softmax(Q K' / sqrt(D)) over the keys that count, output = P V, for each clip and head.
///
/// Queries, keys, values and outputs are (B x T, heads x D), a head's D columns side by side. The workers share tiles of 64 queries
/// of a clip and head; a clip's numbers come from that clip alone.
package struct DotProductAttention: Sendable {
    package let batch: Int
    /// T.
    package let steps: Int
    package let heads: Int
    /// D.
    package let keyDimension: Int
    /// Whether a query sees only keys up to its own step.
    package let isCausal: Bool

    package init(batch: Int, steps: Int, heads: Int, keyDimension: Int, isCausal: Bool) {
        self.batch = batch
        self.steps = steps
        self.heads = heads
        self.keyDimension = keyDimension
        self.isCausal = isCausal
    }

    /// The tensors that the forward pass saves for the backward pass, in the workspace.
    package struct Saved {
        /// (B x T, heads x D) each; `output` is written by the forward pass.
        package let query: Tensor
        package let key: Tensor
        package let value: Tensor
        package let output: Tensor
        /// P (B, heads, T, T), rows are queries.
        let probabilities: Tensor
        /// Dropout's factors of P, and their product with P; nil without dropout.
        package let factors: Tensor?
        let dropped: Tensor?

        package init(_ attention: DotProductAttention, dropout: Bool, _ workspace: Workspace) {
            let rows: Shape = [attention.batch * attention.steps, attention.wide]
            let square: Shape = [attention.batch, attention.heads, attention.steps, attention.steps]
            query = workspace.take(rows)
            key = workspace.take(rows)
            value = workspace.take(rows)
            output = workspace.take(rows)
            probabilities = workspace.take(square)
            factors = dropout ? workspace.take(square) : nil
            dropped = dropout ? workspace.take(square) : nil
        }
    }

    /// Columns of all heads.
    package var wide: Int { heads * keyDimension }

    private var scale: Float { 1 / Float(keyDimension).squareRoot() }

    /// Writes `saved.output` from its queries, keys, values and factors. Keys of mask 0, (B, T), get no weight; a query without any
    /// key that counts gives 0.
    package func forward(_ saved: Saved, mask: Tensor?, _ workspace: Workspace, _ workers: Workers) {
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let keys = transposed(saved.key, workspace, workers)
        let penalties = workspace.take([batch, steps])
        for row in 0..<penalties.count { penalties.base[row] = mask.map { $0.base[row] != 0 } ?? true ? 0 : -.infinity }
        forEachTile(workers) { clip, head, rows in
            let at = square(clip, head, rows.lowerBound)
            let scores = saved.probabilities.base + at
            let place = place(clip, head, rows.lowerBound)
            MatrixProduct.multiplyTile(
                m: rows.count, n: steps, k: keyDimension, a: saved.query.base + place, lda: wide,
                b: keys.base + (clip * heads + head) * keyDimension * steps, ldb: steps, accumulate: false, c: scores, ldc: steps)
            let penalty = penalties.base + clip * steps
            vc_scale(rows.count * steps, scale, scores, false, scores)
            vc_bias_activation(ActivationKind.linear.code, rows.count, steps, steps, penalty, scores)
            let firstKey = (0..<steps).first { penalty[$0] == 0 } ?? steps
            for row in rows {
                let line = scores + (row - rows.lowerBound) * steps
                // Any finite scores do for a row without keys: its probabilities are cleared below.
                if !sees(row, firstKey) {
                    line.update(repeating: 0, count: steps)
                } else if isCausal {
                    (line + row + 1).update(repeating: -.infinity, count: steps - row - 1)
                }
            }
            vc_softmax_forward(rows.count, steps, scores, scores)
            for row in rows where !sees(row, firstKey) {
                (scores + (row - rows.lowerBound) * steps).update(repeating: 0, count: steps)
            }
            let weights = saved.dropped.map { $0.base + at } ?? scores
            if let factors = saved.factors { vc_multiply(rows.count * steps, scores, factors.base + at, weights) }
            MatrixProduct.multiplyTile(
                m: rows.count, n: keyDimension, k: steps, a: weights, lda: steps, b: saved.value.base + self.place(clip, head, 0),
                ldb: wide, accumulate: false, c: saved.output.base + place, ldc: wide)
        }
    }

    /// Overwrites dQuery, dKey and dValue from dOutput, (B x T, heads x D) each.
    package func backward(
        _ saved: Saved, _ dOutput: Tensor, dQuery: Tensor, dKey: Tensor, dValue: Tensor, _ workspace: Workspace, _ workers: Workers
    ) {
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let values = transposed(saved.value, workspace, workers)
        let dScores = workspace.take(saved.probabilities.shape)
        forEachTile(workers) { clip, head, rows in
            let at = square(clip, head, rows.lowerBound)
            let place = place(clip, head, rows.lowerBound)
            let d = dScores.base + at
            MatrixProduct.multiplyTile(
                m: rows.count, n: steps, k: keyDimension, a: dOutput.base + place, lda: wide,
                b: values.base + (clip * heads + head) * keyDimension * steps, ldb: steps, accumulate: false, c: d, ldc: steps)
            if let factors = saved.factors { vc_multiply(rows.count * steps, d, factors.base + at, d) }
            vc_softmax_backward(rows.count, steps, saved.probabilities.base + at, d, d)
            vc_scale(rows.count * steps, scale, d, false, d)
            MatrixProduct.multiplyTile(
                m: rows.count, n: keyDimension, k: steps, a: d, lda: steps, b: saved.key.base + self.place(clip, head, 0), ldb: wide,
                accumulate: false, c: dQuery.base + place, ldc: wide)
        }
        // Now a tile is 64 keys, and the sums run over all queries.
        let weights = saved.dropped ?? saved.probabilities
        forEachTile(workers) { clip, head, columns in
            let at = square(clip, head, 0) + columns.lowerBound
            let (first, place) = (place(clip, head, 0), place(clip, head, columns.lowerBound))
            func multiply(_ a: Tensor, _ b: Tensor, into c: Tensor) {
                MatrixProduct.multiplyTile(
                    m: columns.count, n: keyDimension, k: steps, a: a.base + at, lda: steps, transposeA: true, b: b.base + first,
                    ldb: wide, accumulate: false, c: c.base + place, ldc: wide)
            }
            multiply(dScores, saved.query, into: dKey)
            multiply(weights, dOutput, into: dValue)
        }
    }

    /// Whether the query at `row` has a key that counts.
    private func sees(_ row: Int, _ firstKey: Int) -> Bool { firstKey <= (isCausal ? row : steps - 1) }

    /// The offset of a row in a tensor (B x T, heads x D), and in one (B, heads, T, T).
    private func place(_ clip: Int, _ head: Int, _ row: Int) -> Int { (clip * steps + row) * wide + head * keyDimension }

    private func square(_ clip: Int, _ head: Int, _ row: Int) -> Int { ((clip * heads + head) * steps + row) * steps }

    /// (B x T, heads x D) -> (B, heads, D, T).
    private func transposed(_ x: Tensor, _ workspace: Workspace, _ workers: Workers) -> Tensor {
        let result = workspace.take([batch, heads, keyDimension, steps])
        workers.forEach(batch * heads) { block, _ in
            vc_transpose(
                steps, keyDimension, x.base + place(block / heads, block % heads, 0), wide, result.base + block * keyDimension * steps,
                steps)
        }
        return result
    }

    private func forEachTile(_ workers: Workers, _ body: (_ clip: Int, _ head: Int, _ rows: Range<Int>) -> Void) {
        let tiles = (steps + MatrixProduct.tile - 1) / MatrixProduct.tile
        workers.forEach(batch * heads * tiles) { block, _ in
            let (first, pair) = (block % tiles * MatrixProduct.tile, block / tiles)
            body(pair / heads, pair % heads, first..<min(steps, first + MatrixProduct.tile))
        }
    }
}
