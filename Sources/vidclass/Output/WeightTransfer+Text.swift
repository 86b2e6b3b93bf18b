import VidReport
import VidRun
import VidSystem

// What a training takes from an older model (`train --from`).

extension WeightTransfer {
    /// A table for people: a line for each kind of layer and label, and for each layer that was drawn its reason.
    var text: String {
        func quoted(_ labels: [String]) -> String { Formatting.list(labels.map { "\"\($0.printable)\"" }) }
        var rows = [["taken", Formatting.list(layers)]]
        if !kept.isEmpty { rows.append(["kept", "the outputs of \(Formatting.count(kept.count, "class", "classes")): \(quoted(kept))"]) }
        for (layer, reason) in drawn { rows.append(["drawn", "\(layer): \(reason)"]) }
        if !new.isEmpty, !kept.isEmpty || drawn.isEmpty {
            rows.append(["drawn", "the outputs of \(Formatting.count(new.count, "new class", "new classes")): \(quoted(new))"])
        }
        if !missing.isEmpty { rows.append(["left out", "classes that this data does not have: \(quoted(missing))"]) }
        if !differences.isEmpty { rows.append(["different", Formatting.list(differences)]) }
        return "Weights from \(path.printable)\n" + String(Formatting.table(rows).dropLast())
    }

    /// The layers that were taken, those of the CNN as one.
    private var layers: [String] {
        let cnn = taken.filter { $0.hasPrefix("cnn/") }.count
        return (cnn > 0 ? ["cnn (\(Formatting.count(cnn, "layer")))"] : []) + taken.filter { !$0.hasPrefix("cnn/") }
    }

    /// The members of the `from` event.
    var members: [(String, JSONNode)] {
        func strings(_ texts: [String]) -> JSONNode { .array(texts.map { .string($0) }) }
        return [
            ("checkpoint", .string(path)), ("taken", strings(taken)),
            ("drawn", .array(drawn.map { .object([("layer", .string($0.layer)), ("reason", .string($0.reason))]) })),
            ("kept", strings(kept)), ("new", strings(new)), ("missing", strings(missing)), ("differences", strings(differences)),
        ]
    }
}
