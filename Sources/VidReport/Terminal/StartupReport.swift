import VidConfig
import VidModel
import VidSystem
import VidTensor

/// The text before a training: its model, data, machine and memory.
package struct StartupReport: Sendable {
    private let layers: [LayerSummary]
    private let input: InputConfiguration
    private let classes: [String]
    private let parameters: (total: Int, trainable: Int)
    private let splits: [(name: String, clips: Int)]
    private let dataPath: String
    private let threads: Int
    private let memory: MemoryEstimate
    private let training: TrainingSummary

    package init(
        classifier: Classifier, dataPath: String, splits: [(name: String, clips: Int)], training: TrainingSummary, threads: Int,
        memory: MemoryEstimate
    ) {
        (layers, input, classes) = (classifier.layers, classifier.configuration.input, classifier.classes)
        (parameters, self.dataPath, self.splits) = (classifier.parameters.counts, dataPath, splits)
        (self.training, self.threads, self.memory) = (training, threads, memory)
    }

    /// - Parameters:
    ///   - columns: the terminal's.
    ///   - showsLayers: whether to show every layer, not only a line for each block.
    package func text(columns: Int = .max, showsLayers: Bool = true) -> String {
        let data = splits.filter { $0.clips > 0 }.map { "\(Formatting.grouped($0.clips)) \($0.name)" }.joined(separator: " + ")
        var rows = [
            ["parameters", "\(Formatting.grouped(parameters.total)) (\(Formatting.grouped(parameters.trainable)) trainable)"],
            [
                "clips",
                "\(data) from \(dataPath.printable) in \(Formatting.count(classes.count, "class", "classes")): "
                    + Formatting.list(classes.map(\.printable)),
            ],
            ["input", input.text],
        ]
        rows += training.lines.map { [$0.label, $0.text] }
        rows += [
            ["machine", "\(Formatting.count(threads, "thread")), OpenBLAS kernel \(BLAS.coreName), \(Machine.simdLevel) vectors"],
            ["memory", "at most \(Formatting.bytes(memory.total)): \(memory.text)"],
        ]
        let table = showsLayers ? StartupReport.layerTable(layers, columns: columns) : StartupReport.blockTable(layers, columns: columns)
        return table + "\n" + Formatting.table(rows)
    }

    /// A line for each layer: its name, type, output shape and parameters, and whether it is frozen.
    package static func layerTable(_ layers: [LayerSummary], columns: Int = .max) -> String {
        table(layers.map { Row($0.name, $0.type, [$0]) }, columns)
    }

    /// A line for each block of the CNN and for each other layer that has parameters.
    package static func blockTable(_ layers: [LayerSummary], columns: Int = .max) -> String {
        var rows: [Row] = []
        for layer in layers {
            let block = layer.name.hasPrefix("block") ? String(layer.name.prefix { $0 != "_" }) : nil
            if let block, rows.last?.name == block {
                rows[rows.count - 1].layers.append(layer)
            } else if block != nil || layer.parameters > 0 {
                rows.append(Row(block ?? layer.name, layer.type, [layer]))
            }
        }
        for index in rows.indices {
            let weighted = rows[index].layers.filter { $0.parameters > 0 }
            if weighted.count > 1 { rows[index].type = "\(weighted.count) \(weighted[0].type)" }
        }
        return table(rows, columns)
    }

    private struct Row {
        let name: String
        var type: String
        /// In the network's order.
        var layers: [LayerSummary]

        init(_ name: String, _ type: String, _ layers: [LayerSummary]) { (self.name, self.type, self.layers) = (name, type, layers) }

        var parameters: String {
            let count = layers.reduce(0) { $0 + $1.parameters }
            return count == 0 ? "" : Formatting.grouped(count)
        }

        var state: String {
            let weighted = layers.filter { $0.parameters > 0 }
            let frozen = weighted.filter { !$0.isTrainable }.count
            return frozen == 0 ? "" : frozen == weighted.count ? "frozen" : "partly frozen"
        }
    }

    /// Narrow terminals show no types, then no shapes; then names are shortened.
    private static func table(_ rows: [Row], _ columns: Int) -> String {
        FittedTable.text(
            [
                .init("layer", rows.map(\.name), rank: 0, isFlexible: true, least: 12),
                .init("type", rows.map(\.type), rank: 2),
                .init("output", rows.map { $0.layers.last?.outputShape.description ?? "" }, rank: 1),
                .init("parameters", rows.map(\.parameters), isRight: true, rank: 0), .init("", rows.map(\.state), rank: 0),
            ], style: OutputStyle(columns: columns, usesColor: false), indent: 2)
    }
}

/// The estimate of a training's peak memory, in bytes.
package struct MemoryEstimate: Sendable {
    let parameters: Int
    let optimizer: Int
    let step: Int
    let data: Int
    let program: Int
    let repeated: Double?

    /// - Parameters:
    ///   - parameters: values, gradients, and data derived from them.
    ///   - optimizer: the optimizer's slots.
    ///   - step: the batch, activations and scratch memory.
    ///   - data: features or clips kept between epochs, and clips being loaded.
    ///   - program: the program itself.
    ///   - repeated: the share of a trained CNN's forward pass that runs twice to save memory; nil if no CNN is trained.
    package init(parameters: Int, optimizer: Int, step: Int, data: Int, program: Int, repeated: Double?) {
        self.parameters = parameters
        self.optimizer = optimizer
        self.step = step
        self.data = data
        self.program = program
        self.repeated = repeated
    }

    package var total: Int { parameters + optimizer + step + data + program }

    var text: String {
        let parts = [("parameters", parameters), ("optimizer", optimizer), ("one step", step), ("data", data), ("program", program)]
        return parts.map { "\($0) \(Formatting.bytes($1))" }.joined(separator: ", ")
            + (repeated.map { $0 == 0 ? "" : "; \(Formatting.fixed($0 * 100, 0)) % of the activations are computed twice" } ?? "")
    }
}
