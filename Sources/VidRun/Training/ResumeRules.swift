import VidConfig
import VidSystem

/// Which values may change when a run is resumed.
///
/// These are the training's length and end, learning rates, the place of the same data, memory, and what is saved. Any other change
/// would give the saved state another meaning (the split, the order, the moments, the model), so it is refused.
package enum ResumeRules {
    /// Configuration keys; `N` is the number of a stage.
    package static let changeable = [
        "training.epochs", "training.early_stopping", "training.target", "training.max_minutes", "training.memory_gib",
        "training.save_every_minutes", "training.save_every_epochs", "stages.N.epochs", "stages.N.learning_rate",
        "optimizer.learning_rate", "data.path", "data.media", "data.leak_check", "output",
    ]

    /// - Parameters:
    ///   - configuration: the one to resume with.
    ///   - before: the run's own, from `path`.
    /// - Throws: `.badData` that names forbidden differences.
    package static func check(_ configuration: RunConfiguration, against before: RunConfiguration, _ path: String) throws {
        let differences = differences(from: before.json, to: configuration.json) { rule in
            changeable.contains { rule == $0 || rule.hasPrefix($0 + ".") }
        }
        guard differences.isEmpty else {
            throw VidclassError.file(
                path,
                "a resumed training cannot change \(differences.prefix(3).joined(separator: "; "))"
                    + (differences.count > 3 ? "; and \(differences.count - 3) more" : "")
                    + ". Only \(changeable.joined(separator: ", ")) may change; start a new training for the rest.")
        }
    }

    /// The differences of two trees of a configuration, such as `seed (1 to 2)`.
    ///
    /// - Parameters:
    ///   - prefix: the path of the trees.
    ///   - isExempt: whether a path, with `N` in place of array indices, is passed over.
    static func differences(
        from old: JSONNode?, to new: JSONNode?, at prefix: String = "", isExempt: (String) -> Bool = { _ in false }
    ) -> [String] {
        var found: [String] = []
        compare(old, new, prefix, prefix, isExempt, &found)
        return found
    }

    private static func compare(
        _ old: JSONNode?, _ new: JSONNode?, _ path: String, _ rule: String, _ isExempt: (String) -> Bool, _ differences: inout [String]
    ) {
        if isExempt(rule) || old == new { return }
        func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : path + "." + key }
        if let oldMembers = old?.objectMembers, let newMembers = new?.objectMembers {
            let keys = oldMembers.map(\.key) + newMembers.map(\.key).filter { key in !oldMembers.contains { $0.key == key } }
            for key in keys { compare(old?[key], new?[key], join(path, key), join(rule, key), isExempt, &differences) }
        } else if let oldElements = old?.arrayElements, let newElements = new?.arrayElements, oldElements.count == newElements.count {
            for (index, pair) in zip(oldElements, newElements).enumerated() {
                compare(pair.0, pair.1, join(path, "\(index)"), join(rule, "N"), isExempt, &differences)
            }
        } else {
            differences.append("\(path.printable) (\(old?.text() ?? "not set") to \(new?.text() ?? "not set"))")
        }
    }
}
