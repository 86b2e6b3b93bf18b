import VidConfig
import VidModel
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
    private let optimizer: String

    package init(classifier: Classifier, dataPath: String, parts: [Part], optimizer: String, threads: Int, memory: MemoryEstimate) {
        self.classifier = classifier
        self.dataPath = dataPath
        self.parts = parts
        self.optimizer = optimizer
        self.threads = threads
        self.memory = memory
    }

    package var text: String {
        let input = classifier.configuration.input
        let counts = classifier.parameters.counts
        let kernel = BLAS.coreName
        let data = parts.filter { $0.clips > 0 }.map { "\(Formatting.grouped($0.clips)) \($0.name)" }.joined(separator: " + ")
        return StartupReport.layerTable(classifier) + """

              parameters  \(Formatting.grouped(counts.total)), of which \(Formatting.grouped(counts.trainable)) trainable
              clips       \(data) from \(dataPath), \(Formatting.count(classifier.classes.count, "class", "classes")): \(StartupReport.list(classifier.classes))
              input       \(input.frames) frames of \(input.rows) x \(input.columns) x \(input.channels)
              optimizer   \(optimizer)
              machine     \(Formatting.count(threads, "thread")), OpenBLAS kernel \(kernel), vectors \(Machine.simdLevel)
              memory      about \(Formatting.bytes(memory.total)): \(memory.text)

            """
    }

    /// A line a layer: name, type, output shape, parameters; frozen ones marked.
    package static func layerTable(_ classifier: Classifier) -> String {
        var rows = [["layer", "type", "output", "parameters", ""]]
        for layer in classifier.layers {
            rows.append([
                layer.name, layer.type, layer.outputShape.description, layer.parameters == 0 ? "" : Formatting.grouped(layer.parameters),
                layer.parameters > 0 && !layer.isTrainable ? "frozen" : "",
            ])
        }
        return Formatting.table(rows, right: [3])
    }

    /// The first few names of a list and how many more there are.
    package static func list(_ names: [String], atMost limit: Int = 8) -> String {
        let shown = names.prefix(limit).joined(separator: ", ")
        return names.count > limit ? shown + ", ... (\(names.count - limit) more)" : shown
    }
}

/// The bytes a training is expected to hold at its peak.
package struct MemoryEstimate: Sendable {
    package let parameters: Int
    package let optimizer: Int
    package let activations: Int
    package let data: Int

    /// - Parameters:
    ///   - parameters: values and gradients.
    ///   - optimizer: the optimiser's slots.
    ///   - activations: scratch of a step.
    ///   - data: features or clips kept between epochs.
    package init(parameters: Int, optimizer: Int, activations: Int, data: Int) {
        self.parameters = parameters
        self.optimizer = optimizer
        self.activations = activations
        self.data = data
    }

    package var total: Int { parameters + optimizer + activations + data }

    var text: String {
        "parameters \(Formatting.bytes(parameters)), optimizer \(Formatting.bytes(optimizer)), a step \(Formatting.bytes(activations)), data \(Formatting.bytes(data))"
    }
}
