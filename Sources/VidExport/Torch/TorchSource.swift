import VidConfig
import VidModel
import VidTensor

/// The Python source of a module, line by line.
package struct TorchModule {
    /// Statements of `__init__`.
    private(set) var parts: [String] = []
    /// Statements of `forward`.
    private(set) var steps: [String] = []
    private var names: Set<String> = []

    package init() {}

    /// Adds a part of the module, such as `nn.Linear(3, 4)`; returns its name, which is `name` as Python allows it.
    package mutating func add(_ name: String, _ part: String) -> String {
        let name = unused(name)
        parts.append("self.\(name) = \(part)")
        return name
    }

    /// Adds numbers that are no parameters: their Python source.
    package mutating func add(constant name: String, _ numbers: String) -> String {
        let name = unused(name)
        parts.append("self.register_buffer(\"\(name)\", torch.tensor(\(numbers)), persistent=False)")
        return name
    }

    package mutating func run(_ step: String) { steps.append(step) }

    private mutating func unused(_ name: String) -> String {
        var word = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        if word.first?.isNumber ?? true { word = "_" + word }
        while TorchModule.taken.contains(word) || !names.insert(word).inserted { word += "_" }
        return word
    }

    /// Python's keywords and what `nn.Module` has of its own.
    private static let taken = Set(
        """
        False None T_destination True add_module and apply as assert async await bfloat16 break buffers call_super_init children class compile \
        continue cpu cuda def del double dump_patches elif else eval except extra_repr finally float for forward from get_buffer \
        get_extra_state get_parameter get_submodule global half if import in ipu is lambda load_state_dict modules mtia named_buffers \
        named_children named_modules named_parameters nonlocal not or parameters pass raise register_backward_hook register_buffer \
        register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook \
        register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter \
        register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ return set_extra_state set_submodule share_memory \
        state_dict to to_empty train training try type while with xpu yield zero_grad
        """.split(separator: " ").map(String.init))

    /// A class of Python.
    package func source(_ name: String, arguments: String, result: String) -> String {
        func indented(_ lines: [String]) -> String { lines.map { "        \($0)\n" }.joined() }
        return """
            class \(name)(nn.Module):
                def __init__(self):
                    super().__init__()
            \(indented(parts))
                def forward(self, \(arguments)):
            \(indented(steps + ["return \(result)"]))
            """
    }
}

/// Python's names for the values of a graph. A name is given again once its value has been used for the last time, so that memory is freed.
package struct TorchNames {
    private var lastUse: [Int: Int] = [:]
    private var names: [Int: String] = [:]
    private var free: [String] = []
    private var count = 0

    /// - Parameter first: the name of the graph's input.
    package init(_ nodes: [FrameNode], first: String) {
        for (index, node) in nodes.enumerated() { for input in node.inputs { lastUse[input] = index } }
        names[FrameNode.frame] = first
    }

    package func name(_ value: Int) -> String { names[value] ?? "" }

    /// The name of node `index`, whose inputs are in use until it has been computed.
    package mutating func next(_ index: Int, _ inputs: [Int]) -> String {
        for input in Set(inputs).sorted() where lastUse[input] == index { free.append(name(input)) }
        if free.isEmpty {
            count += 1
            free.append("x\(count)")
        }
        let name = free.removeLast()
        names[index] = name
        return name
    }
}

extension ActivationKind {
    /// Its Python source for `x`.
    package func torch(_ x: String) -> String {
        switch self {
        case .linear: x
        case .relu: "F.relu(\(x))"
        case .tanh: "torch.tanh(\(x))"
        case .sigmoid: "torch.sigmoid(\(x))"
        case .hardSigmoid: "(0.2 * \(x) + 0.5).clamp(0, 1)"
        case .relu6: "F.relu6(\(x))"
        case .silu: "F.silu(\(x))"
        case .hardSwish: "F.hardswish(\(x))"
        case .hardSigmoidSixth: "F.hardsigmoid(\(x))"
        }
    }
}

extension ActivationName {
    /// Its Python source for `x`.
    package func torch(_ x: String) -> String { kind?.torch(x) ?? "F.softmax(\(x), -1)" }
}
