import VidCheckpoint
import VidConfig
import VidTensor

/// What may be another value when a run is resumed.
///
/// How long to train, what ends it, the learning rate, another place of the same data, more or less memory, what is kept: the
/// training goes on from its state. Anything else would give the state another meaning (the split, the order, the moments,
/// the model), so it is refused.
enum ResumeRules {
    static let changeable = [
        "training.epochs", "training.early_stopping", "training.target", "training.max_minutes", "training.memory_gib",
        "training.save_every_minutes", "training.save_every_epochs", "optimizer.learning_rate", "data.path", "data.leak_check", "output",
    ]

    /// Throws `.badData` naming what differs between the run's configuration and the one to go on with.
    static func check(_ configuration: RunConfiguration, against checkpoint: Checkpoint) throws {
        let before = try RunConfiguration(json: checkpoint.config, source: checkpoint.path)
        var differences: [String] = []
        compare(before.json, configuration.json, "", &differences)
        guard differences.isEmpty else {
            throw VidclassError.file(
                checkpoint.path,
                "a resumed training cannot change \(differences.prefix(3).joined(separator: "; "))"
                    + (differences.count > 3 ? "; and \(differences.count - 3) more" : "")
                    + ". Only \(changeable.joined(separator: ", ")) may differ; start a new training for the rest.")
        }
    }

    private static func compare(_ old: JSONNode?, _ new: JSONNode?, _ path: String, _ differences: inout [String]) {
        if changeable.contains(where: { path == $0 || path.hasPrefix($0 + ".") }) || old == new { return }
        if let oldMembers = old?.objectMembers, let newMembers = new?.objectMembers {
            let keys = oldMembers.map(\.key) + newMembers.map(\.key).filter { key in !oldMembers.contains { $0.key == key } }
            for key in keys { compare(old?[key], new?[key], path.isEmpty ? key : path + "." + key, &differences) }
        } else {
            differences.append("\(path) (\(old?.text() ?? "not set") to \(new?.text() ?? "not set"))")
        }
    }
}
