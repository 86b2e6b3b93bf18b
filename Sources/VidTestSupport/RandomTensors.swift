import VidTensor

/// Tensors with their owners, for tests: filled with seeded numbers, or with NaN where an output is expected.
package struct TestTensors {
    private var random: RandomGenerator
    private var buffers: [Buffer] = []

    package init(seed: UInt64) { random = RandomGenerator(seed: seed) }

    /// Uniform in [low, high).
    package mutating func uniform(_ shape: Shape, _ low: Float = -1, _ high: Float = 1) -> Tensor {
        let tensor = nan(shape)
        for i in 0..<tensor.count { tensor.base[i] = random.uniform(low, high) }
        return tensor
    }

    /// All NaN: an output must overwrite every element.
    package mutating func nan(_ shape: Shape) -> Tensor {
        let buffer = Buffer(count: shape.count)
        buffers.append(buffer)
        let tensor = buffer.tensor(shape)
        tensor.fill(.nan)
        return tensor
    }

    package mutating func zeros(_ shape: Shape) -> Tensor {
        let tensor = nan(shape)
        tensor.fill(0)
        return tensor
    }
}

extension Buffer {
    /// `count` floats, for tests, which end where there is no memory for them.
    package convenience init(count: Int, isZeroed: Bool = true) {
        do { try self.init(allocating: count, isZeroed: isZeroed) } catch { fatalError("\(error)") }
    }
}
