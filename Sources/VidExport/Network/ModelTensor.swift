import VidModel
import VidSystem
import VidTensor

/// A parameter of a model, or a constant, whose numbers exported tensors are made of.
package struct ModelTensor {
    package let shape: [Int]
    package let base: UnsafePointer<Float>
    /// Keeps the numbers alive.
    package let owner: AnyObject

    package var count: Int { shape.reduce(1, *) }

    package init(_ tensor: Tensor, owner: AnyObject) {
        shape = tensor.shape.dimensions
        base = UnsafePointer(tensor.base)
        self.owner = owner
    }

    private init(_ other: ModelTensor, shape: [Int]) {
        precondition(shape.reduce(1, *) == other.count, "cannot view \(other.shape) as \(shape)")
        self.shape = shape
        base = other.base
        owner = other.owner
    }

    /// The same numbers with other extents.
    package func reshaped(_ shape: [Int]) -> ModelTensor { ModelTensor(self, shape: shape) }
}

extension ModelTensor {
    /// A constant.
    ///
    /// - Throws: `.other` if memory runs out.
    package init(constant values: [Float], _ shape: [Int]) throws {
        let buffer = try Buffer(allocating: values.count)
        let tensor = buffer.tensor(Shape(shape))
        tensor.copy(from: values)
        self.init(tensor, owner: buffer)
    }
}

extension ParameterStore {
    package func exported(_ id: ParameterID) -> ModelTensor { ModelTensor(value(id), owner: self) }

    /// The parameter of a name in a checkpoint, such as `output/kernel`.
    package func exported(named name: String) throws -> ModelTensor {
        guard let slice = slice(named: name) else { throw VidclassError(.other, "the model has no parameter \(name)") }
        return ModelTensor(value(slice), owner: self)
    }
}
