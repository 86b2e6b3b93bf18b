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

    /// - Parameter columns: the terminal's; the table of layers leaves out their types if it would be wider.
    package func text(columns: Int = .max) -> String {
        let data = splits.filter { $0.clips > 0 }.map { "\(Formatting.grouped($0.clips)) \($0.name)" }.joined(separator: " + ")
        var rows = [
            ["parameters", "\(Formatting.grouped(parameters.total)) (\(Formatting.grouped(parameters.trainable)) trainable)"],
            [
                "clips",
                "\(data) from \(dataPath.printable) in \(Formatting.count(classes.count, "class", "classes")): "
                    + Formatting.list(classes.map(\.printable)),
            ],
            ["input", "\(input.frames) frames of \(input.rows) x \(input.columns) x \(input.channels)"],
        ]
        rows += training.lines.map { [$0.label, $0.text] }
        rows += [
            ["machine", "\(Formatting.count(threads, "thread")), OpenBLAS kernel \(BLAS.coreName), \(Machine.simdLevel) vectors"],
            ["memory", "at most \(Formatting.bytes(memory.total)): \(memory.text)"],
        ]
        return StartupReport.layerTable(layers, columns: columns) + "\n" + Formatting.table(rows)
    }

    /// A line for each layer: its name, type, output shape and parameters, and whether it is frozen.
    package static func layerTable(_ layers: [LayerSummary], columns: Int = .max) -> String {
        var rows = [["layer", "type", "output", "parameters", ""]]
        for layer in layers {
            rows.append([
                layer.name, layer.type, layer.outputShape.description, layer.parameters == 0 ? "" : Formatting.grouped(layer.parameters),
                layer.parameters > 0 && !layer.isTrainable ? "frozen" : "",
            ])
        }
        let table = Formatting.table(rows, right: [3])
        guard table.split(separator: "\n").contains(where: { String($0).columns > columns }) else { return table }
        return Formatting.table(rows.map { [$0[0]] + $0[2...] }, right: [2])
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
        let parts = [("parameters", parameters), ("optimizer", optimizer), ("one step", step), ("data", data)]
        return parts.map { "\($0) \(Formatting.bytes($1))" }.joined(separator: ", ")
            + (repeated.map { $0 == 0 ? "" : "; \(Formatting.fixed($0 * 100, 0)) % of the activations are computed twice" } ?? "")
    }
}
