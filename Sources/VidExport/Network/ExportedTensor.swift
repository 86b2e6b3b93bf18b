import VidTensor

/// A tensor of an exported file: which of the model's numbers each of its numbers is.
///
/// The layouts of formats differ in the order of axes and gates, in zeros, and in factors that gates have. So each axis has a table
/// of steps from the source's first number, and number (i, j, ...) is
///
///     source[axes[0].steps[i] + axes[1].steps[j] + ...] * axes[0].factors[i] * axes[1].factors[j] * ...
///
/// or zero if one of the steps is nil.
package struct ExportedTensor {
    package struct Axis {
        package var steps: [Int?]
        /// Nil: ones.
        package var factors: [Float]?

        package var count: Int { steps.count }

        /// An axis of so many zeros.
        package static func zeros(_ count: Int) -> Axis { Axis(steps: [Int?](repeating: nil, count: count)) }

        /// The tensors one after the other. Their numbers must be in the same buffer.
        package static func stacked(_ tensors: [ModelTensor]) -> Axis { Axis(steps: tensors.map { $0.base - tensors[0].base }) }

        /// The axis cut into `order.count` blocks, which come in this order.
        package func blocks(_ order: [Int]) -> Axis {
            precondition(count % order.count == 0, "\(count) indices in \(order.count) blocks")
            let size = count / order.count
            return Axis(
                steps: order.flatMap { steps[$0 * size..<($0 + 1) * size] },
                factors: factors.map { factors in order.flatMap { factors[$0 * size..<($0 + 1) * size] } })
        }

        /// The axis cut into `factors.count` blocks, each times its factor.
        package func scaled(_ blocks: [Float]) -> Axis {
            if blocks.allSatisfy({ $0 == 1 }) { return self }
            let size = count / blocks.count
            return Axis(steps: steps, factors: blocks.flatMap { [Float](repeating: $0, count: size) })
        }

        /// The axis of what lies so many numbers later in the source.
        package func shifted(by count: Int) -> Axis { Axis(steps: steps.map { $0.map { $0 + count } }, factors: factors) }

        /// This axis and then the other, of the same source.
        package static func + (first: Axis, second: Axis) -> Axis {
            precondition(first.factors == nil && second.factors == nil, "axes with factors are not joined")
            return Axis(steps: first.steps + second.steps)
        }
    }

    package let name: String
    package let axes: [Axis]
    private let source: ModelTensor

    package init(name: String, _ source: ModelTensor, axes: [Axis]) {
        self.name = name
        self.source = source
        self.axes = axes
    }

    package var shape: [Int] { axes.map(\.count) }
    package var count: Int { shape.reduce(1, *) }
    package var bytes: Int { count * MemoryLayout<Float>.stride }

    /// The numbers in row-major order.
    package func values() -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            var next = 0
            fill(buffer, &next, axis: 0, at: 0, factor: 1)
            initialized = next
        }
    }

    private func fill(_ buffer: UnsafeMutableBufferPointer<Float>, _ next: inout Int, axis: Int, at place: Int?, factor: Float) {
        guard axis < axes.count else {
            buffer[next] = place.map { source.base[$0] * factor } ?? 0
            next += 1
            return
        }
        let table = axes[axis]
        for (index, step) in table.steps.enumerated() {
            fill(
                buffer, &next, axis: axis + 1, at: place.flatMap { place in step.map { place + $0 } },
                factor: factor * (table.factors?[index] ?? 1))
        }
    }

    /// The first number of `found` that is not the model's, with what it should be. Each is looked up by its own indices, so that a fault in
    /// `values` shows.
    package func difference(in found: [Float]) -> (index: Int, found: Float, expected: Float)? {
        precondition(found.count == count, "\(name): \(found.count) numbers of \(shape)")
        for (index, value) in found.enumerated() {
            let expected = expected(index)
            if value.bitPattern != expected.bitPattern { return (index, value, expected) }
        }
        return nil
    }

    private func expected(_ index: Int) -> Float {
        var (rest, place, factor) = (index, 0, Float(1))
        for axis in axes.reversed() {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: axis.count)
            guard let step = axis.steps[remainder] else { return 0 }
            place += step
            if let factors = axis.factors { factor *= factors[remainder] }
            rest = quotient
        }
        return source.base[place] * factor
    }
}

extension ModelTensor {
    /// An axis as it is.
    package func axis(_ axis: Int) -> ExportedTensor.Axis {
        let stride = shape[(axis + 1)...].reduce(1, *)
        return .init(steps: (0..<shape[axis]).map { $0 * stride })
    }

    /// The tensor under another name, its axes in the given order, or as they are.
    package func exported(as name: String, order: [Int]? = nil) -> ExportedTensor {
        ExportedTensor(name: name, self, axes: (order ?? Array(shape.indices)).map(axis))
    }
}
