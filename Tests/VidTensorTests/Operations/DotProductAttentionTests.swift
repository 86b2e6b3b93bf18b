import Foundation
import Testing
import VidTensor
import VidTestSupport

@Suite struct DotProductAttentionTests {
    struct Case: Sendable {
        var batch = 2
        var steps = 5
        var heads = 3
        var size = 4
        var isCausal = false
        var lengths: [Int]?
    }

    static let cases = [
        Case(), Case(isCausal: true), Case(lengths: [5, 2]), Case(isCausal: true, lengths: [1, 4]),
        Case(batch: 1, steps: 1, heads: 1, size: 1),
        // More than one tile of queries and of keys.
        Case(batch: 1, steps: 131, heads: 2, size: 17), Case(batch: 2, steps: 70, heads: 1, size: 3, isCausal: true, lengths: [66, 70]),
    ]

    /// P V of one clip and head after another, in double precision, from the definition.
    private func reference(_ c: Case, _ query: [Double], _ key: [Double], _ value: [Double]) -> [Double] {
        let wide = c.heads * c.size
        var output = [Double](repeating: 0, count: c.batch * c.steps * wide)
        for clip in 0..<c.batch {
            for head in 0..<c.heads {
                func at(_ step: Int) -> Int { (clip * c.steps + step) * wide + head * c.size }
                for step in 0..<c.steps {
                    let keys = (0..<c.steps).filter { $0 < c.lengths?[clip] ?? c.steps && (!c.isCausal || $0 <= step) }
                    let scores = keys.map { other in
                        (0..<c.size).reduce(0.0) { $0 + query[at(step) + $1] * key[at(other) + $1] } / Double(c.size).squareRoot()
                    }
                    let weights = scores.map { exp($0 - (scores.max() ?? 0)) }
                    let sum = weights.reduce(0, +)
                    for (other, weight) in zip(keys, weights) {
                        for i in 0..<c.size { output[at(step) + i] += weight / sum * value[at(other) + i] }
                    }
                }
            }
        }
        return output
    }

    @Test(arguments: cases) func agreesWithTheDefinition(_ c: Case) {
        let attention = DotProductAttention(
            batch: c.batch, steps: c.steps, heads: c.heads, keyDimension: c.size, isCausal: c.isCausal)
        var tensors = TestTensors(seed: 18)
        let rows: Shape = [c.batch * c.steps, c.heads * c.size]
        let (query, key, value) = (tensors.uniform(rows, -2, 2), tensors.uniform(rows, -2, 2), tensors.uniform(rows))
        let dOutput = tensors.uniform(rows)
        let mask = c.lengths.map { lengths in
            let mask = tensors.zeros([c.batch, c.steps])
            for (clip, length) in lengths.enumerated() { for step in 0..<length { mask.base[clip * c.steps + step] = 1 } }
            return mask
        }
        var bits: [[Float]] = []
        for threads in threadCounts {
            let (workspace, workers) = (Workspace(), Workers(count: threads))
            workspace.take([1 << 18]).fill(.nan)
            workspace.reset()
            let saved = DotProductAttention.Saved(attention, dropout: false, workspace)
            saved.query.copy(from: query)
            saved.key.copy(from: key)
            saved.value.copy(from: value)
            attention.forward(saved, mask: mask, workspace, workers)
            #expect(relativeError(saved.output.array, reference(c, doubles(query), doubles(key), doubles(value))) <= 2e-6)
            let gradients = (0..<3).map { _ in tensors.nan(rows) }
            attention.backward(
                saved, dOutput, dQuery: gradients[0], dKey: gradients[1], dValue: gradients[2], workspace, workers)
            bits.append(saved.output.array + gradients.flatMap(\.array))
        }
        #expect(bits[0].allSatisfy { $0.isFinite } && bits.allSatisfy { $0 == bits[0] })
        // Masked keys and values take no part: their gradients are 0.
        if let lengths = c.lengths {
            let keys = Array(bits[0][(2 * rows.count)..<(4 * rows.count)])
            for half in 0..<2 {
                for clip in 0..<c.batch {
                    let first = half * rows.count + (clip * c.steps + lengths[clip]) * rows[1]
                    #expect(keys[first..<(half * rows.count + (clip + 1) * c.steps * rows[1])].allSatisfy { $0 == 0 })
                }
            }
        }
    }

    @Test(arguments: [false, true]) func withoutAKeyTheOutputIsZero(_ isCausal: Bool) {
        let attention = DotProductAttention(batch: 2, steps: 3, heads: 2, keyDimension: 2, isCausal: isCausal)
        var tensors = TestTensors(seed: 19)
        let (workspace, workers) = (Workspace(), Workers(count: 1))
        let saved = DotProductAttention.Saved(attention, dropout: false, workspace)
        for tensor in [saved.query, saved.key, saved.value] { tensor.copy(from: tensors.uniform(tensor.shape)) }
        // The first clip has no key at all, the second none before its last step.
        let mask = tensors.zeros([2, 3])
        mask.base[5] = 1
        attention.forward(saved, mask: mask, workspace, workers)
        let (output, values) = (saved.output.array, saved.value.array)
        #expect(output.prefix(isCausal ? 20 : 12).allSatisfy { $0 == 0 })
        #expect(output.suffix(4).elementsEqual(values.suffix(4)))
    }
}
