import VidConfig
import VidData
import VidReport
import VidSystem

// The chosen configuration as a file, and what to do with it.

extension InitPlan {
    /// The next steps after the configuration is written to `path`, in order; the last one is the training.
    package func steps(after path: String) -> [Step] {
        preparations + [Step(sentence: "Train:", command: ShellText.vidclass("train", "--config", ShellText.path(path)))]
    }

    /// The configuration as JSON with a remark on each choice. Values that were not chosen and are the defaults are left out.
    package var text: String {
        let remarks =
            ["Made by `vidclass init` from \(report.data.path.printable):"]
            + choices.map { "\($0.key): \($0.value), because: \($0.because)" }
        var document: JSONNode = [:]
        document.set(RunConfiguration.commentKey, .array(remarks.map { .string($0) }))
        let kept: Set<String> = [
            "seed", "model.input", "model.cnn.architecture", "model.cnn.weights", "model.cnn.trainable", "model.cnn.pooling",
            "model.recurrent", "model.hidden", "optimizer.type", "optimizer.learning_rate", "data.path", "data.validation_split",
            "data.preprocessing", "data.short_clips", "data.sampling", "training.epochs", "training.batch_size",
            "training.class_weights", "training.early_stopping.patience", "training.early_stopping.restore_best_weights",
            "output.directory", "output.name",
        ]
        let resolved = InitPlan.pruned(configuration.json, RunConfiguration().json, path: "", kept: kept)
        for member in resolved?.objectMembers ?? [] { document.set(member.key, member.value) }
        return document.text(pretty: true) + "\n"
    }

    /// The members that differ from `defaults` or are in `kept`; nil if there are none.
    private static func pruned(_ node: JSONNode, _ defaults: JSONNode?, path: String, kept: Set<String>) -> JSONNode? {
        if kept.contains(path) { return node }
        guard let members = node.objectMembers, let defaultMembers = defaults?.objectMembers else {
            // A plain nil would be JSON's null.
            return node == defaults ? JSONNode?.none : node
        }
        // An object with other keys than the default's (another type of optimizer) stays whole.
        guard members.map(\.key) == defaultMembers.map(\.key) else { return node }
        let left = members.compactMap { member in
            pruned(member.value, defaults?[member.key], path: path.isEmpty ? member.key : path + "." + member.key, kept: kept)
                .map { (member.key, $0) }
        }
        return left.isEmpty ? JSONNode?.none : .object(left)
    }
}
