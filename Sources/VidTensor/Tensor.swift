/// A view of row-major floats with another owner: a pointer and a shape.
///
/// The code that makes a view keeps the owner (`Buffer` or `Workspace`) alive for as long as the view is used.
package struct Tensor: @unchecked Sendable {
    package let base: UnsafeMutablePointer<Float>
    package let shape: Shape

    package init(_ base: UnsafeMutablePointer<Float>, _ shape: Shape) {
        self.base = base
        self.shape = shape
    }

    package var count: Int { shape.count }

    /// The same elements with another shape of equal count.
    package func reshaped(_ shape: Shape) -> Tensor {
        precondition(shape.count == count, "cannot view \(self.shape) as \(shape)")
        return Tensor(base, shape)
    }

    /// Rows `range` of the first axis.
    package func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "rows \(range) of \(shape)")
        let rest = shape.dropFirst
        return Tensor(base + range.lowerBound * rest.count, rest.prepending(range.count))
    }

    package func fill(_ value: Float) { base.update(repeating: value, count: count) }

    package func copy(from other: Tensor) {
        precondition(other.count == count, "cannot copy \(other.shape) into \(shape)")
        base.update(from: other.base, count: count)
    }

    package func copy(from values: [Float]) {
        precondition(values.count == count, "cannot copy \(values.count) values into \(shape)")
        values.withUnsafeBufferPointer { source in
            if let address = source.baseAddress { base.update(from: address, count: count) }
        }
    }

    /// The elements as an array, for tests and for small results.
    package var array: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
