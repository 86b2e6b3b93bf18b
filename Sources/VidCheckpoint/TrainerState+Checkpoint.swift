import FoundationEssentials
import VidConfig
import VidData
import VidModel
import VidSystem
import VidTrain

// The training's state in `last.safetensors`.

extension TrainerState {
    /// JSON with sorted keys: the same state gives the same text. Foundation's encoder writes it, because it is the one that writes
    /// whole numbers of type Double as 1, not 1.0, and the bytes of a checkpoint must stay the same.
    package var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// The state saved in `checkpoint`, from which a training on `data` can resume.
    ///
    /// - Throws: `.badData` if the checkpoint has no state, a damaged one, one of other data, or one that no training saves.
    package init(_ checkpoint: Checkpoint, data set: DataSet, _ configuration: RunConfiguration) throws {
        guard let text = checkpoint.state else {
            throw VidclassError.file(
                checkpoint.path, "it has no training state to resume from; use a run's last.safetensors")
        }
        do {
            self = try JSONDecoder().decode(TrainerState.self, from: Data(text.utf8))
        } catch {
            throw VidclassError.file(checkpoint.path, "its training state cannot be read: \(TrainerState.words(error))")
        }
        guard data == set.digest else {
            throw VidclassError.file(
                configuration.data.path,
                "the clips or their splits are not those that this run was trained on. Restore them "
                    + "and the run's splits.csv, or start a new training.")
        }
        if let fault = fault(clips: set.entries(of: .train).count, configuration) {
            throw VidclassError.file(checkpoint.path, "its training state cannot be resumed: \(fault)")
        }
    }

    /// Which value of a state is missing or wrong.
    private static func words(_ error: any Error) -> String {
        func name(_ path: [any CodingKey]) -> String { "\"" + path.map(\.stringValue).joined(separator: ".").printable + "\"" }
        switch error as? DecodingError {
        case .keyNotFound(let key, let context): return name(context.codingPath + [key]) + " is missing"
        case .valueNotFound(_, let context), .typeMismatch(_, let context): return name(context.codingPath) + " has a value of another type"
        case .dataCorrupted(let context):
            return (context.codingPath.isEmpty ? "" : name(context.codingPath) + ": ") + context.debugDescription.printable
        default: return "\(error)".printable
        }
    }
}

extension Optimizer {
    /// The moments as checkpoint tensors: `optimizer/m/<parameter>`, `optimizer/v/<parameter>`, ...
    package func tensors(_ parameters: ParameterStore) -> [NamedTensor] {
        slots.flatMap { slot in
            parameters.slices.compactMap { slice in
                slot.value(slice, in: parameters).map {
                    NamedTensor("\(Checkpoint.optimizerPrefix)\(slot.name)/\(slice.name)", $0)
                }
            }
        }
    }
}
