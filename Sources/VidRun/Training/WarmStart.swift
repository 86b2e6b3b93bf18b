import VidCheckpoint
import VidConfig
import VidModel
import VidReport
import VidSystem
import VidTensor

/// The model that a new training takes weights from.
///
/// A layer is taken if all of its tensors are in the older model under the same names with the same shapes. Of the output, the columns of
/// the labels that both models have are taken. Everything else is drawn as in any other training. Moving statistics are among a layer's
/// tensors; the optimizer's moments are not.
package struct WarmStart: Sendable {
    private let checkpoint: Checkpoint
    private let before: RunConfiguration

    /// - Parameter path: a checkpoint, or a run's folder for its best one.
    /// - Throws: `.missingInput` or `.badData` if it cannot be read.
    package init(_ path: String) throws {
        checkpoint = try Checkpoint.open(RunChoice.checkpoint(path))
        before = try RunConfiguration(json: checkpoint.config, source: checkpoint.path)
    }

    package var path: String { checkpoint.path }

    var origin: RunRecord.Start { RunRecord.Start(checkpoint: checkpoint.path, sha256: checkpoint.checksum) }

    /// The older model's configuration for the data at `path`, with the default `output`.
    ///
    /// - Parameter overrides: `KEY=VALUE`.
    package func configuration(data path: String, overrides: [String]) throws -> RunConfiguration {
        var configuration = before
        configuration.data.path = path
        configuration.data.media = nil
        configuration.output = OutputConfiguration()
        return try RunConfiguration(configuration.json, source: "the configuration of \(checkpoint.path.printable)", overrides: overrides)
    }

    // MARK: - What must be equal

    /// - Throws: `.badData` with the keys to set, if the CNN or the pixels that it sees are not those of the older model.
    func requireFit(_ configuration: RunConfiguration) throws {
        func node(_ configuration: RunConfiguration, _ key: String) -> JSONNode? {
            key.split(separator: ".").reduce(configuration.json) { $0?[String($1)] }
        }
        let (older, own) = (before.model, configuration.model)
        guard (older.cnn == nil) == (own.cnn == nil), older.input.features == own.input.features else {
            func text(_ model: ModelConfiguration) -> String { model.input.text + (model.cnn == nil ? " without a CNN" : " through a CNN") }
            throw VidclassError.file(
                checkpoint.path,
                "this training cannot start from it: it takes \(text(older)), this training \(text(own)); use the older model's model.input and model.cnn"
            )
        }
        let keys = ["model.cnn.architecture", "model.input.channels", "data.preprocessing"]
        let differences = keys.filter { node(before, $0) != node(configuration, $0) }
        guard !differences.isEmpty else { return }
        let found = differences.map { "\($0) is \(node(configuration, $0)?.text() ?? ""), there \(node(before, $0)?.text() ?? "")" }
        throw VidclassError.file(
            checkpoint.path, "this training cannot start from it: \(found.joined(separator: "; "))",
            advice: [
                "Train with the older model's settings by adding",
                "  "
                    + differences.map { key in
                        let value = node(before, key)
                        return ShellText.setting(key, value?.stringValue ?? value?.text() ?? "")
                    }.joined(separator: " "),
            ])
    }

    // MARK: - Taking

    /// Copies into `classifier`, all of whose weights are drawn already, those that fit.
    ///
    /// - Throws: `.badData` if a value is not finite, or if the output does not belong to the classes; the classifier may be changed then.
    func load(into classifier: Classifier, _ configuration: RunConfiguration) throws -> WeightTransfer {
        let parameters = classifier.parameters
        var transfer = WeightTransfer(path: checkpoint.path)
        var layers: [(name: String, slices: [ParameterSlice])] = []
        for slice in parameters.slices {
            let name = PathText.parent(slice.name)
            if layers.last?.name == name { layers[layers.count - 1].slices.append(slice) } else { layers.append((name, [slice])) }
        }
        for (name, slices) in layers {
            if name == WarmStart.output {
                try loadOutput(slices, classifier, &transfer)
            } else if let reason = slices.lazy.compactMap(misfit).first {
                transfer.drawn.append((name, reason))
            } else {
                for slice in slices { try checkpoint.copy(slice.name, into: parameters.value(slice)) }
                transfer.taken.append(name)
            }
        }
        parameters.didChange()
        transfer.differences = ResumeRules.differences(
            from: before.json["model"], to: configuration.json["model"], at: "model"
        ) { $0 == "model.cnn.weights" || $0 == "model.cnn.trainable" || $0 == "model.cnn.convolution" }
        return transfer
    }

    /// The name of the layer with a column for each class.
    private static let output = "output"

    /// Why a tensor of the older model cannot be taken; nil if it can.
    private func misfit(_ slice: ParameterSlice) -> String? {
        guard let entry = checkpoint.tensor(named: slice.name) else { return "the older model has no \(slice.name)" }
        return entry.shape == slice.shape.dimensions ? nil : "\(slice.name) is \(slice.shape), there \(entry.shapeText)"
    }

    /// Copies the columns of the labels that both models have from the kernel (units, classes) and the bias (classes).
    private func loadOutput(_ slices: [ParameterSlice], _ classifier: Classifier, _ transfer: inout WeightTransfer) throws {
        let older = checkpoint.classes
        let pairs = classifier.classes.enumerated().compactMap { column, label in
            older.firstIndex(of: label).map { (column, $0) }
        }
        let known = Set(classifier.classes)
        transfer.missing = older.filter { !known.contains($0) }
        var sources: [(slice: ParameterSlice, values: [Float])] = []
        for slice in slices {
            let entry = checkpoint.tensor(named: slice.name)
            let expected = slice.shape.dimensions.dropLast() + [older.count]
            guard let entry, entry.shape == Array(expected) else {
                transfer.new = classifier.classes
                transfer.drawn.append((WarmStart.output, "\(slice.name) is \(slice.shape), there \(entry?.shapeText ?? "missing")"))
                return
            }
            let buffer = try Buffer(allocating: entry.count, isZeroed: false)
            try withExtendedLifetime(buffer) {
                let tensor = buffer.tensor(Shape(entry.shape))
                try checkpoint.copy(slice.name, into: tensor)
                sources.append((slice, tensor.array))
            }
        }
        for (slice, values) in sources {
            let target = classifier.parameters.value(slice)
            let (columns, olderColumns) = (classifier.classes.count, older.count)
            for row in 0..<values.count / olderColumns {
                for (column, place) in pairs { target.base[row * columns + column] = values[row * olderColumns + place] }
            }
        }
        transfer.kept = pairs.map { classifier.classes[$0.0] }
        transfer.new = classifier.classes.filter { !older.contains($0) }
    }
}
