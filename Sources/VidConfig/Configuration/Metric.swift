import VidSystem

/// A metric that is known after every epoch, by Keras's name: `val_loss`, or `val_f1/LABEL` for one class.
package struct Metric: RawRepresentable, Sendable, Equatable {
    /// The names, without a label. The order is that of the configuration's documentation.
    package enum Kind: String, Sendable, CaseIterable {
        case loss
        case categoricalAccuracy = "categorical_accuracy"
        case validationLoss = "val_loss"
        case validationAccuracy = "val_categorical_accuracy"
        case validationTop5 = "val_top_5_accuracy"
        case validationMacroF1 = "val_macro_f1"
        case validationBalancedAccuracy = "val_balanced_accuracy"
        case validationCalibrationError = "val_ece"
        case validationBrier = "val_brier"
        case validationPrecision = "val_precision"
        case validationRecall = "val_recall"
        case validationF1 = "val_f1"

        /// Metrics of a single class.
        package static let perClass: [Kind] = [.validationPrecision, .validationRecall, .validationF1]
        /// All others.
        package static let whole = allCases.filter { !perClass.contains($0) }

        /// Whether a lower value is better.
        package var isLowerBetter: Bool { [.loss, .validationLoss, .validationCalibrationError, .validationBrier].contains(self) }

        /// Whether it is measured on the training clips, during the epoch, not on the validation split after it.
        package var isOfTraining: Bool { self == .loss || self == .categoricalAccuracy }

        /// Its column in results.csv, tag in TensorBoard and key in the JSON stream: `train/loss`, `val/macro_f1`.
        package var seriesName: String { isOfTraining ? "train/" + rawValue : "val/" + rawValue.dropFirst(4) }

        /// For a line of text: "val acc".
        fileprivate var shortName: String {
            switch self {
            case .loss: "loss"
            case .categoricalAccuracy: "acc"
            case .validationLoss: "val loss"
            case .validationAccuracy: "val acc"
            case .validationTop5: "val top-5"
            case .validationMacroF1: "val F1"
            case .validationBalancedAccuracy: "val balanced acc"
            case .validationCalibrationError: "val ECE"
            case .validationBrier: "val Brier"
            case .validationPrecision: "val precision"
            case .validationRecall: "val recall"
            case .validationF1: "val F1"
            }
        }
    }

    package let kind: Kind
    /// The class; nil unless the kind is one of `Kind.perClass`.
    package let label: String?

    package init(_ kind: Kind, label: String? = nil) {
        precondition(Kind.perClass.contains(kind) == (label != nil), "\(kind.rawValue) with the label \(label ?? "nil")")
        self.kind = kind
        self.label = label
    }

    /// Returns nil for a name of no metric, and for a per-class metric without a label.
    package init?(rawValue: String) {
        let (name, label) = Metric.split(rawValue)
        guard let kind = Kind(rawValue: name), Kind.perClass.contains(kind) == (label != nil),
            label.map({ !$0.isEmpty && !$0.utf8.contains(0) }) != false
        else { return nil }
        self.init(kind, label: label)
    }

    package var rawValue: String { kind.rawValue + (label.map { "/" + $0 } ?? "") }

    /// For a line of text: "val acc", "val F1 car".
    package var shortName: String { kind.shortName + (label.map { " " + $0 } ?? "") }

    /// The name and, after the first slash, the label. Bytes count: a slash may bear a combining mark.
    private static func split(_ text: String) -> (name: String, label: String?) {
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else { return (text, nil) }
        return (String(text[..<slash]), String(text[text.utf8.index(after: slash)...]))
    }
}

extension ConfigurationCodec where Value == Metric {
    static var metric: Self {
        let words = Metric.Kind.whole.map(\.rawValue)
        let perClass = Metric.Kind.perClass.map(\.rawValue)
        let summary = "one of \(quotedList(words)) or, for one class, \(quotedList(perClass.map { $0 + "/LABEL" }))"
        let pattern = "^(\(perClass.joined(separator: "|")))/[^\\x00]+$"
        let schema: JSONNode = ["anyOf": [["enum": .array(words.map { .string($0) })], ["type": "string", "pattern": .string(pattern)]]]
        return Self(.leaf(schema: schema, summary: summary)) { node, path throws(ConfigurationFault) in
            guard let metric = node.stringValue.flatMap(Metric.init(rawValue:)) else {
                throw .mismatch(path, expected: summary, found: node, hint: node.stringValue.map(Metric.hint) ?? "")
            }
            return metric
        } encode: {
            .string($0.rawValue)
        }
    }
}

extension Metric {
    /// The name that is nearest to a misspelt one, for a message.
    fileprivate static func hint(_ text: String) -> String {
        let (name, label) = split(text)
        let kinds = label == nil ? Kind.allCases : Kind.perClass
        guard let nearest = nearestWord(to: name, among: kinds.map(\.rawValue)).flatMap(Kind.init) else { return "" }
        let suffix = Kind.perClass.contains(nearest) ? "/" + (label.flatMap { $0.isEmpty ? nil : $0.shortened.printable } ?? "LABEL") : ""
        return "; did you mean \"\(nearest.rawValue)\(suffix)\"?"
    }
}
