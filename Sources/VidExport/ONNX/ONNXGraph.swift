import FoundationEssentials
import VidCheckpoint
import VidSystem

/// A graph of ONNX under construction. Values have names; a node's value has the node's name.
///
/// The functions that add to the graph are not inlined: layers call them dozens of times, and the compiler would optimize each copy.
package struct ONNXGraph {
    /// An attribute of a node.
    package enum Attribute {
        case float(Float)
        case integer(Int)
        case text(String)
        case floats([Float])
        case integers([Int])
        case texts([String])
        case graph(ONNXGraphProto)
    }

    /// Whether recurrent layers are written step by step.
    package var scans = false
    private(set) var nodes: [ONNXNodeProto] = []
    /// The model's parameters, whose numbers are written last.
    private(set) var tensors: [ExportedTensor] = []
    /// Integers, such as the extents of a reshaping.
    private(set) var constants: [ONNXTensorProto] = []
    private(set) var inputs: [ONNXValueInfoProto] = []
    private(set) var outputs: [ONNXValueInfoProto] = []
    private var names: Set<String> = []

    /// Adds a node; returns the name of its value, which is the node's or a new one like it.
    ///
    /// - Parameter outputs: the values; nil: one. An empty name stands for a value that is left out.
    @discardableResult
    @inline(never)
    package mutating func add(
        _ type: String, _ inputs: [String], _ name: String, _ attributes: [(String, Attribute)] = [], outputs: ((String) -> [String])? = nil
    ) -> String {
        var node = ONNXNodeProto()
        node.opType = type
        node.input = inputs
        node.name = unused(name)
        node.output = outputs?(node.name) ?? [node.name]
        node.attribute = attributes.map { name, value in ONNXGraph.attribute(name, value) }
        nodes.append(node)
        return node.name
    }

    /// Adds a parameter of the model; returns its name.
    @inline(never)
    package mutating func add(_ tensor: ExportedTensor) -> String {
        precondition(names.insert(tensor.name).inserted, "two tensors named \(tensor.name)")
        tensors.append(tensor)
        return tensor.name
    }

    /// Adds a list of integers, or with an empty shape one; returns its name.
    @inline(never)
    package mutating func add(integers: [Int], shape: [Int]? = nil, _ name: String) -> String {
        var tensor = ONNXTensorProto()
        tensor.name = unused(name)
        tensor.dataType = .int64
        tensor.dims = (shape ?? [integers.count]).map(Int64.init)
        tensor.rawData = Data(integers.flatMap { LittleEndian.bytes(Int64($0)) })
        constants.append(tensor)
        return tensor.name
    }

    /// Adds a number; returns its name.
    @inline(never)
    package mutating func add(number: Float, _ name: String) -> String {
        var tensor = ONNXTensorProto()
        tensor.name = unused(name)
        tensor.dataType = .float
        tensor.rawData = Data(LittleEndian.bytes(number.bitPattern))
        constants.append(tensor)
        return tensor.name
    }

    package mutating func addInput(_ name: String, _ type: ONNXTensorProto.DataType, _ extents: [Extent]) {
        precondition(names.insert(name).inserted, "two values named \(name)")
        inputs.append(ONNXGraph.value(name, type, extents))
    }

    /// Keeps a name for the output, so that no layer gets it.
    package mutating func addOutput(_ name: String, _ extents: [Extent]) {
        precondition(names.insert(name).inserted, "two values named \(name)")
        outputs.append(ONNXGraph.value(name, .float, extents))
    }

    /// Gives a value to the output.
    package mutating func finish(with value: String) {
        add("Identity", [value], "result") { [outputs] _ in outputs.map(\.name) }
    }

    package enum Extent {
        case fixed(Int)
        /// May differ from call to call.
        case named(String)
    }

    /// Takes the nodes from `start` on out of the graph, for a graph within a node.
    package mutating func cut(from start: Int) -> [ONNXNodeProto] {
        defer { nodes.removeSubrange(start...) }
        return Array(nodes[start...])
    }

    @inline(never)
    package mutating func unused(_ name: String) -> String {
        var (candidate, number) = (name, 2)
        while !names.insert(candidate).inserted { (candidate, number) = ("\(name)_\(number)", number + 1) }
        return candidate
    }

    @inline(never)
    package static func value(_ name: String, _ type: ONNXTensorProto.DataType, _ extents: [Extent]) -> ONNXValueInfoProto {
        var info = ONNXValueInfoProto()
        info.name = name
        info.type.tensorType.elemType = type
        info.type.tensorType.shape.dim = extents.map { extent in
            var dimension = ONNXTensorShapeProto.Dimension()
            switch extent {
            case .fixed(let count): dimension.dimValue = Int64(count)
            case .named(let name): dimension.dimParam = name
            }
            return dimension
        }
        return info
    }

    private static func attribute(_ name: String, _ value: Attribute) -> ONNXAttributeProto {
        var attribute = ONNXAttributeProto()
        attribute.name = name
        switch value {
        case .float(let value): (attribute.f, attribute.type) = (value, .float)
        case .integer(let value): (attribute.i, attribute.type) = (Int64(value), .int)
        case .text(let value): (attribute.s, attribute.type) = (Data(value.utf8), .string)
        case .floats(let values): (attribute.floats, attribute.type) = (values, .floats)
        case .integers(let values): (attribute.ints, attribute.type) = (values.map(Int64.init), .ints)
        case .graph(let graph): (attribute.g, attribute.type) = (graph, .graph)
        case .texts(let values): (attribute.strings, attribute.type) = (values.map { Data($0.utf8) }, .strings)
        }
        return attribute
    }
}
