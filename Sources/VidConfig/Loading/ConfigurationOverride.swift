import VidSystem

/// A `KEY=VALUE` from the command line: `training.epochs=3`, `model.recurrent.0.units=64`, `data.path=clips`.
///
/// VALUE is JSON. Other text is a string, unless it starts like a JSON string, array or object.
struct ConfigurationOverride: Sendable {
    let path: ConfigurationPath
    let value: JSONNode

    /// `source` goes into the positions of the value.
    init(_ text: String, source: Int) throws(VidclassError) {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
            throw VidclassError(.usage, source: "--set \(text)", message: "expected KEY=VALUE, such as training.epochs=3")
        }
        let components = text[..<equals].split(separator: ".", omittingEmptySubsequences: false)
        guard !components.contains("") else {
            throw VidclassError(
                .usage, source: "--set \(text)", message: "the key has an empty part; expected a key such as training.epochs")
        }
        path = ConfigurationPath(components.map { Int($0).map { .index($0) } ?? .key(String($0)) })
        let literal = String(text[text.index(after: equals)...])
        do {
            value = try JSONParser.parse(literal, source: source)
        } catch {
            if let first = literal.first, "{[\"".contains(first) {
                throw VidclassError(
                    .usage, source: "--set \(text)", keyPath: path.description, message: "the value is not valid JSON: \(error.message)")
            }
            value = JSONNode(.string(literal), at: JSONPosition(source: source))
        }
    }

    /// Sets the value in `tree`. An array that `tree` lacks starts as a copy of the one in `defaults`, so that its elements can be
    /// addressed. An index one past the end appends an object.
    func apply(to tree: inout JSONNode, defaults: JSONNode) throws(ConfigurationFault) {
        try apply(to: &tree, at: 0, defaults: defaults)
    }

    private func apply(to node: inout JSONNode, at depth: Int, defaults: JSONNode?) throws(ConfigurationFault) {
        guard depth < path.components.count else {
            node = value
            return
        }
        let position = value.position
        switch path.components[depth] {
        case .key(let key):
            guard node.arrayElements == nil else {
                throw ConfigurationFault(
                    path, "\(parent(depth)) is an array; expected the index of an element, as in \(parent(depth)).0.\(key)")
            }
            var members = node.objectMembers ?? []
            let index = members.firstIndex { $0.key.hasSameBytes(as: key) } ?? members.count
            if index == members.count {
                let isArray = defaults?[key]?.arrayElements != nil && depth + 1 < path.components.count
                members.append(
                    JSONMember(key, isArray ? defaults?[key]?.marked(-1) ?? .null : JSONNode(.object([]), at: position), at: position))
            }
            try apply(to: &members[index].value, at: depth + 1, defaults: defaults?[key])
            // The member itself is set, so its key counts as the override's.
            if depth + 1 == path.components.count { members[index].keyPosition = position }
            node = JSONNode(.object(members), at: node.objectMembers == nil ? position : node.position)
        case .index(let index):
            guard var elements = node.arrayElements else {
                throw ConfigurationFault(path, "\(parent(depth)) is \(node.brief), not an array with an element \(index)")
            }
            guard 0...elements.count ~= index else {
                throw ConfigurationFault(
                    path,
                    "\(parent(depth)) has \(elements.count) element\(elements.count == 1 ? "" : "s"); expected an index from 0 to \(elements.count) (\(elements.count) appends an element)"
                )
            }
            if index == elements.count { elements.append(JSONNode(.object([]), at: position)) }
            try apply(to: &elements[index], at: depth + 1, defaults: defaults?.arrayElements?.dropFirst(index).first)
            node = JSONNode(.array(elements), at: node.position)
        }
    }

    /// The path of the container that has the component at `depth`, for messages.
    private func parent(_ depth: Int) -> String {
        depth == 0 ? "the configuration" : ConfigurationPath(Array(path.components.prefix(depth))).description
    }
}

extension JSONNode {
    /// The tree with `source` in every position.
    fileprivate func marked(_ source: Int) -> JSONNode {
        let position = JSONPosition(source: source)
        return switch value {
        case .array(let elements): JSONNode(.array(elements.map { $0.marked(source) }), at: position)
        case .object(let members):
            JSONNode(.object(members.map { JSONMember($0.key, $0.value.marked(source), at: position) }), at: position)
        default: JSONNode(value, at: position)
        }
    }
}
