import Foundation
import VidCheckpoint
import VidModel
import VidTensor
import VidTrain

// How a training's state goes into `last.safetensors` and comes out of it.

extension TrainerState {
    /// JSON with its keys in order: the same state is the same text.
    var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// Loads the weights and the optimiser's slots from `checkpoint` and returns the state saved with them.
    init(_ checkpoint: Checkpoint, _ parameters: ParameterStore, _ optimizer: any Optimizer) throws {
        guard let text = checkpoint.state else {
            throw VidclassError.file(
                checkpoint.path, "it holds no training state to go on from; resume from a run's last.safetensors")
        }
        try checkpoint.load(into: parameters)
        for tensor in optimizer.tensors(parameters) { try checkpoint.copy(tensor.name, into: tensor.tensor) }
        do {
            self = try JSONDecoder().decode(TrainerState.self, from: Data(text.utf8))
        } catch {
            throw VidclassError.file(checkpoint.path, "its training state cannot be read: \(error)")
        }
    }
}

extension Optimizer {
    /// The moments as checkpoint tensors: `optimizer/m/<parameter>`, `optimizer/v/<parameter>`, ...
    func tensors(_ parameters: ParameterStore) -> [NamedTensor] {
        slots.flatMap { slot in
            parameters.slices.compactMap { slice in
                slot.value(slice, in: parameters).map {
                    NamedTensor("\(Checkpoint.optimizerPrefix)\(slot.name)/\(slice.name)", $0)
                }
            }
        }
    }
}
