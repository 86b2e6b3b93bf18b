import VidConfig
import VidTensor

/// Puts the head's layers one behind the other and keeps their table.
struct HeadBuilder {
    enum RecurrentKind: String {
        case lstm = "LSTM"
        case gru = "GRU"
    }

    private(set) var layout: ParameterLayout
    private(set) var sequence: [any SequenceLayer] = []
    private(set) var vector: [any Layer] = []
    private(set) var summaries: [LayerSummary] = []
    /// Floats that a step takes from the workspace for each clip, and for any number of them, rounded up.
    private(set) var stepFloats = (clip: 0, constant: 0)
    /// Of one sample behind the layers so far: (T, F), or (F) once the time axis is gone.
    private var shape: Shape

    init(steps: Int, features: Int, _ layout: ParameterLayout) {
        self.layout = layout
        shape = [steps, features]
    }

    mutating func addRecurrent(_ name: String, _ kind: RecurrentKind, _ options: RecurrentOptions, returnSequences: Bool) throws {
        let before = layout.entries.count
        let features = shape.last
        // The input three times (in order of the steps, and its gradient in both orders), gates and their gradients, states.
        let directions = options.bidirectional ? 2 : 1
        stepFloats.clip += directions * shape[0] * (3 * features + 14 * options.units)
        stepFloats.constant += 4 * options.units * options.units
        func make(_ name: String, reversed: Bool, _ layout: inout ParameterLayout) throws -> any RecurrentLayer {
            let settings = try RecurrentSettings(options, name: name, returnSequences: returnSequences, reversed: reversed)
            return switch kind {
            case .lstm: LSTM(name, features: features, settings, &layout)
            case .gru: GRU(name, features: features, settings, &layout)
            }
        }
        if options.bidirectional {
            let forwards = try make("\(name)/forward", reversed: false, &layout)
            let backwards = try make("\(name)/backward", reversed: true, &layout)
            add(Bidirectional(name, forwards: forwards, backwards: backwards), type: "Bidirectional(\(kind.rawValue))", before)
        } else {
            add(try make(name, reversed: false, &layout), type: kind.rawValue, before)
        }
    }

    mutating func addMeanOverTime(_ name: String) {
        add(MeanOverTime(name), type: "GlobalAveragePooling1D", layout.entries.count)
    }

    mutating func addBatchNormalization(_ name: String, _ options: BatchNormalizationOptions) {
        let before = layout.entries.count
        let layer = BatchNormalization(name, features: shape.last, options: options, &layout)
        if shape.rank == 2 {
            add(layer as any SequenceLayer, type: "BatchNormalization", before)
        } else {
            add(layer as any Layer, type: "BatchNormalization", before)
        }
    }

    mutating func addDense(_ name: String, _ options: DenseOptions) {
        let before = layout.entries.count
        let layer = Dense(name, features: shape.last, units: options.units, activation: options.activation, &layout)
        add(layer, type: "Dense", before)
    }

    mutating func addDropout(_ name: String, rate: Float) {
        add(Dropout(name, rate: rate), type: "Dropout", layout.entries.count)
    }

    private mutating func add(_ layer: any SequenceLayer, type: String, _ entriesBefore: Int) {
        shape = counted(layer.outputShape(shape))
        sequence.append(layer)
        summarize(layer.name, type, entriesBefore)
    }

    private mutating func add(_ layer: any Layer, type: String, _ entriesBefore: Int) {
        shape = counted(layer.outputShape(shape))
        vector.append(layer)
        summarize(layer.name, type, entriesBefore)
    }

    /// Counts a layer's output of so much, its gradient and those of the input.
    private mutating func counted(_ output: Shape) -> Shape {
        stepFloats.clip += 2 * shape.count + 2 * output.count + 64
        return output
    }

    private mutating func summarize(_ name: String, _ type: String, _ entriesBefore: Int) {
        let own = layout.entries[entriesBefore...]
        summaries.append(
            LayerSummary(
                name: name, type: type, outputShape: shape, parameters: own.reduce(0) { $0 + $1.shape.count },
                isTrainable: own.contains { $0.isTrainable }))
    }
}
