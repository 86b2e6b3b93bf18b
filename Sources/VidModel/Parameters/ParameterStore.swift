import VidSystem
import VidTensor

/// A weight tensor of a layer: a named range of the store's buffer.
package struct ParameterSlice: Sendable, Equatable {
    /// The tensor's name in a checkpoint, such as `cnn/block1_conv1/kernel`.
    package let name: String
    package let shape: Shape
    /// The offset of its first value in the store's buffer, in floats.
    package let offset: Int
    /// Whether the optimizer changes it.
    package let isTrainable: Bool

    /// The name without its last part.
    package var layer: Substring { name.prefix(upTo: name.lastIndex(of: "/") ?? name.endIndex) }

    package var count: Int { shape.count }
    package var range: Range<Int> { offset..<offset + count }
}

/// A layer's handle on one of its parameters: its index in the store's list.
package struct ParameterID: Sendable, Hashable {
    package let index: Int
}

/// Collects the parameters of a model before their memory is laid out.
///
/// A layer registers each of its tensors once, when it is built, and keeps the `ParameterID`.
package struct ParameterLayout: Sendable {
    struct Entry: Sendable {
        let name: String
        let shape: Shape
        let initializer: Initializer
        let isTrainable: Bool
    }

    private(set) var entries: [Entry] = []

    package init() {}

    /// Bytes of all values; a floating-point number, because extents from a config may overflow an integer.
    package var bytes: Double { ParameterLayout.bytes(entries) }

    /// Bytes of the trained values.
    package var trainedBytes: Double { ParameterLayout.bytes(entries.filter(\.isTrainable)) }

    private static func bytes(_ entries: [Entry]) -> Double {
        entries.reduce(0) { $0 + $1.shape.dimensions.reduce(Double(MemoryLayout<Float>.stride)) { $0 * Double($1) } }
    }

    /// Name and shape of each parameter, in the order of registration.
    package var tensors: [(name: String, shape: Shape)] { entries.map { ($0.name, $0.shape) } }

    /// Registers a tensor; the name must be new.
    package mutating func add(_ name: String, _ shape: Shape, _ initializer: Initializer, trainable: Bool = true) -> ParameterID {
        precondition(!entries.contains { $0.name == name }, "two parameters named \(name)")
        entries.append(Entry(name: name, shape: shape, initializer: initializer, isTrainable: trainable))
        return ParameterID(index: entries.count - 1)
    }
}

/// All parameters of a model in one contiguous buffer of named slices.
///
/// The values that the optimizer leaves alone (frozen weights, moving statistics) come first, the trained ones after them, so
/// that the trained values are one contiguous range: gradients and moments are buffers over this range and share its layout.
package final class ParameterStore: @unchecked Sendable {
    /// In the order of registration; `ParameterID` indexes it.
    package let slices: [ParameterSlice]
    package let values: Buffer
    /// The range of `values` that is trained.
    package let trainableRange: Range<Int>
    private var reservedGradients: Buffer?
    /// Whether the optimizer has left the gradients at 0.
    private var gradientsAreZero = false
    /// Raised after every change of values, so that data derived from them (transformed filters) is computed again.
    package private(set) var version = 0
    /// Raised when values that are not trained may have changed, too.
    private var frozenVersion = 0

    /// Lays the parameters out, each slice 64-byte aligned. Values are zero until `initialize` or a checkpoint fills them.
    ///
    /// - Throws: `.other` if memory runs out.
    package init(_ layout: ParameterLayout) throws(VidclassError) {
        var offsets = [Int](repeating: 0, count: layout.entries.count)
        var end = 0
        var firstTrainable = 0
        for trainable in [false, true] {
            if trainable { firstTrainable = end }
            for (index, entry) in layout.entries.enumerated() where entry.isTrainable == trainable {
                offsets[index] = end
                end += Workspace.wholeLines(entry.shape.count)
            }
        }
        slices = zip(layout.entries, offsets).map {
            ParameterSlice(name: $0.name, shape: $0.shape, offset: $1, isTrainable: $0.isTrainable)
        }
        values = try Buffer(allocating: end)
        trainableRange = firstTrainable..<end
        initializers = layout.entries.map(\.initializer)
    }

    private let initializers: [Initializer]

    /// Finds the memory of the gradients before they are first used, which is where it may run out. Prediction does without them.
    ///
    /// - Throws: `.other` if memory runs out.
    package func reserveGradients() throws(VidclassError) {
        if reservedGradients == nil { reservedGradients = try Buffer(allocating: trainableRange.count) }
    }

    /// d(loss)/d(value) over `trainableRange`.
    package var gradients: Buffer {
        if reservedGradients == nil { try? reserveGradients() }
        guard let reservedGradients else {
            preconditionFailure("\(trainableRange.count) gradients were not reserved and cannot be allocated")
        }
        return reservedGradients
    }

    /// Fills every slice by its initialiser, in the order of registration.
    package func initialize(_ random: inout RandomGenerator) throws {
        for (slice, initializer) in zip(slices, initializers) {
            try initializer.fill(values.tensor(slice.shape, offset: slice.offset), &random)
        }
        didChange()
    }

    /// Records that any values may have changed.
    package func didChange() {
        version += 1
        frozenVersion += 1
    }

    /// Records that trained values have changed, and no others, and whether all gradients are 0 now.
    package func didTrain(clearingGradients: Bool = false) {
        version += 1
        gradientsAreZero = clearingGradients
    }

    /// A number that changes whenever the parameter's values may have changed.
    package func version(of id: ParameterID) -> Int { slices[id.index].isTrainable ? version : frozenVersion }

    /// Sets all gradients to zero, unless the optimizer has; `backward` adds to them.
    package func zeroGradients() {
        if !gradientsAreZero { gradients.base.update(repeating: 0, count: gradients.count) }
        gradientsAreZero = false
    }

    /// The values that training changes besides the optimizer: the moving statistics of trained layers.
    package var movingStatistics: [ParameterSlice] {
        let trained = Set(slices.filter(\.isTrainable).map(\.layer))
        return slices.filter { !$0.isTrainable && trained.contains($0.layer) }
    }

    package func slice(_ id: ParameterID) -> ParameterSlice { slices[id.index] }

    /// The slice named `name`.
    package func slice(named name: String) -> ParameterSlice? { slices.first { $0.name == name } }

    /// The values of a parameter.
    package func value(_ id: ParameterID) -> Tensor { value(slices[id.index]) }

    package func value(_ slice: ParameterSlice) -> Tensor { values.tensor(slice.shape, offset: slice.offset) }

    /// The gradient of a trainable parameter; nil for one that is not trained.
    package func gradient(_ id: ParameterID) -> Tensor? { gradient(slices[id.index]) }

    package func gradient(_ slice: ParameterSlice) -> Tensor? {
        guard slice.isTrainable else { return nil }
        return gradients.tensor(slice.shape, offset: slice.offset - trainableRange.lowerBound)
    }

    /// The number of all parameters and of the trained ones, without padding.
    package var counts: (total: Int, trainable: Int) {
        slices.reduce(into: (0, 0)) {
            $0.0 += $1.count
            if $1.isTrainable { $0.1 += $1.count }
        }
    }
}
