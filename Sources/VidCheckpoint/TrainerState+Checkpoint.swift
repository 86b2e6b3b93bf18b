import Foundation
import VidModel
import VidSystem
import VidTrain

// How a training's state goes into `last.safetensors` and comes out of it.

extension TrainerState {
    /// JSON with its keys in order: the same state is the same text.
    package var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// The state saved in `checkpoint`.
    package init(_ checkpoint: Checkpoint) throws {
        guard let text = checkpoint.state else {
            throw VidclassError.file(
                checkpoint.path, "it holds no training state to go on from; resume from a run's last.safetensors")
        }
        do {
            self = try JSONDecoder().decode(TrainerState.self, from: Data(text.utf8))
        } catch {
            throw VidclassError.file(checkpoint.path, "its training state cannot be read: \("\(error)".printable)")
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
