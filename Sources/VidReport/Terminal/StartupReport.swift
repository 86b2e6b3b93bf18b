import VidConfig
import VidModel
import VidSystem
import VidTensor

/// What a training is about to do, as text: model, data, machine, memory.
package struct StartupReport {
    package struct Part {
        package let name: String
        package let clips: Int

        package init(name: String, clips: Int) {
            self.name = name
            self.clips = clips
        }
    }

    private let classifier: Classifier
    private let parts: [Part]
    private let dataPath: String
    private let threads: Int
    private let memory: MemoryEstimate
    private let training: TrainingSummary

    package init(classifier: Classifier, dataPath: String, parts: [Part], training: TrainingSummary, threads: Int, memory: MemoryEstimate) {
        self.classifier = classifier
        self.dataPath = dataPath
        self.parts = parts
        self.training = training
        self.threads = threads
        self.memory = memory
    }

    /// - Parameter columns: of the terminal; the table of layers leaves their types out where it would be wider.
    package func text(columns: Int = .max) -> String {
        let input = classifier.configuration.input
        let counts = classifier.parameters.counts
        let kernel = BLAS.coreName
        let data = parts.filter { $0.clips > 0 }.map { "\(Formatting.grouped($0.clips)) \($0.name)" }.joined(separator: " + ")
        var rows = [
            ["parameters", "\(Formatting.grouped(counts.total)), of which \(Formatting.grouped(counts.trainable)) trainable"],
            [
                "clips",
                "\(data) from \(dataPath.printable), \(Formatting.count(classifier.classes.count, "class", "classes")): "
                    + StartupReport.list(classifier.classes.map(\.printable)),
            ],
            ["input", "\(input.frames) frames of \(input.rows) x \(input.columns) x \(input.channels)"],
        ]
        rows += training.lines.map { [$0.label, $0.text] }
        rows += [
            ["machine", "\(Formatting.count(threads, "thread")), OpenBLAS kernel \(kernel), vectors \(Machine.simdLevel)"],
            ["memory", "at most \(Formatting.bytes(memory.total)): \(memory.text)"],
        ]
        return StartupReport.layerTable(classifier, columns: columns) + "\n" + Formatting.table(rows)
    }

    /// A line a layer: name, type, output shape, parameters; frozen ones marked.
    package static func layerTable(_ classifier: Classifier, columns: Int = .max) -> String {
        var rows = [["layer", "type", "output", "parameters", ""]]
        for layer in classifier.layers {
            rows.append([
                layer.name, layer.type, layer.outputShape.description, layer.parameters == 0 ? "" : Formatting.grouped(layer.parameters),
                layer.parameters > 0 && !layer.isTrainable ? "frozen" : "",
            ])
        }
        let table = Formatting.table(rows, right: [3])
        guard table.split(separator: "\n").contains(where: { $0.count > columns }) else { return table }
        return Formatting.table(rows.map { [$0[0]] + $0[2...] }, right: [2])
    }

    /// The first few names of a list and how many more there are.
    package static func list(_ names: [String], atMost limit: Int = 8) -> String {
        let shown = names.prefix(limit).joined(separator: ", ")
        return names.count > limit ? shown + ", ... (\(names.count - limit) more)" : shown
    }
}

/// The bytes a training is expected to hold at its peak.
package struct MemoryEstimate: Sendable {
    let parameters: Int
    let optimizer: Int
    let step: Int
    let data: Int
    let program: Int
    let repeated: Double?

    /// - Parameters:
    ///   - parameters: values, gradients, and what is derived from them.
    ///   - optimizer: the optimiser's slots.
    ///   - step: the batch, activations and scratch.
    ///   - data: features or clips kept between epochs, and clips being loaded.
    ///   - program: the program itself.
    ///   - repeated: the share of a trained CNN's forward pass that is done twice to save memory; nil where none is trained.
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
        let again = repeated.map { ", \(Formatting.fixed($0 * 100, 0)) % of the activations made again" } ?? ""
        return
            "parameters \(Formatting.bytes(parameters)), optimizer \(Formatting.bytes(optimizer)), a step \(Formatting.bytes(step)), data \(Formatting.bytes(data))"
            + (repeated == 0 ? "" : again)
    }
}
