import Testing
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

/// Numbers in [-1, 1) by the hash of `maintain.goldens.networks`.
@inline(__always)
func formula(_ number: Int, _ index: Int) -> Float {
    var x = UInt32(truncatingIfNeeded: index) &+ 0x9E37_79B9 &* UInt32(truncatingIfNeeded: number + 1)
    x ^= x >> 16
    x &*= 0x85EB_CA6B
    x ^= x >> 13
    x &*= 0xC2B2_AE35
    x ^= x >> 16
    return Float(x >> 8) * 0x1p-23 - 1
}

/// A golden of a network whose weights, frames and features' gradients both sides compute by the formula.
struct FormulaGolden {
    let golden: Golden
    /// Rows and columns of a frame.
    let size: [Int]
    /// The tensors under the names of the other program.
    let listed: [(name: String, shape: [Int])]

    init(_ golden: Golden) throws {
        self.golden = golden
        let note = try JSONParser.parse(golden.note)
        size = (note["size"]?.arrayElements ?? []).compactMap { $0.integerValue.map(Int.init) }
        listed = (note["tensors"]?.arrayElements ?? []).map { node in
            let parts = node.arrayElements ?? []
            return (parts[0].stringValue ?? "", (parts[1].arrayElements ?? []).compactMap { $0.integerValue.map(Int.init) })
        }
    }

    /// (4, rows, columns, 3), the transposition of (N, C, H, W).
    func frames(_ tensors: inout TestTensors) -> Tensor {
        let frames = tensors.nan([4, size[0], size[1], 3])
        let places = size[0] * size[1]
        for index in 0..<frames.count {
            let (frame, place, channel) = (index / (3 * places), index / 3 % places, index % 3)
            frames.base[index] = formula(100_000, (frame * 3 + channel) * places + place)
        }
        return frames
    }

    /// Checks features and gradients of a step with frozen or, in the mode "batch", with trained batch normalisation.
    ///
    /// - Parameters:
    ///   - trained: the names of the trained tensors in the golden's order.
    ///   - summary: the norm of a tensor's gradient, and its product with the formula's numbers.
    func checkGradients(
        _ mode: String, _ encoder: FrameEncoder, frames: Tensor, _ context: Context, trained: [String],
        summary: (_ index: Int) throws -> (norm: Double, product: Double)
    ) throws -> (features: Double, gradients: Double) {
        context.isTraining = mode == "batch"
        context.parameters.zeroGradients()
        let mark = context.workspace.mark
        let saved = encoder.forward(frames: frames, saving: ActivationPlan(encoder, frames: 4, limit: .max), context)
        let features = relativeError(saved.features.array, try golden.values("\(mode)/features"))
        #expect(features <= (mode == "batch" ? 1e-3 : 1e-4), "\(mode)")
        let dFeatures = context.workspace.take(encoder.outputShape.prepending(4))
        for index in 0..<dFeatures.count { dFeatures.base[index] = formula(100_001, index) }
        encoder.backward(frames: frames, saved: saved, dFeatures: dFeatures, context)
        context.workspace.release(to: mark)
        let rows = try golden.values("\(mode)/gradients")
        // Some gradients are 0, such as those of a bias before a batch normalisation: they are compared with the largest.
        let largest = trained.indices.reduce(0.0) { max($0, Double(rows[2 * $1])) }
        var worst = 0.0
        for (index, name) in trained.enumerated() {
            let (norm, product) = try summary(index)
            let scale = max(Double(rows[2 * index]), 1e-3 * largest)
            worst = max(worst, abs(norm - Double(rows[2 * index])) / scale, abs(product - Double(rows[2 * index + 1])) / scale / 10)
            guard worst <= 2e-2 else {
                Issue.record("\(mode) \(name): \(norm), \(product) for \(rows[2 * index]), \(rows[2 * index + 1])")
                break
            }
        }
        return (features, worst)
    }
}
